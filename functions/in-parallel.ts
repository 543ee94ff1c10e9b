/** Works on all items, at most `limit` of them at a time. The first failure ends it when the work under way has ended. */
export async function inParallel<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
    const rest = items.values();
    const worker = async (): Promise<void> => {
        for (const item of rest) {
            await work(item);
        }
    };
    const results = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker));
    const failure = results.find((result) => result.status === "rejected");
    if (failure) {
        throw failure.reason;
    }
}
