/** Work took longer than it had. */
export class TimeoutError extends Error {
    override readonly name = "TimeoutError";
}

/** What the work gives, if it does so within that time; else nobody waits for it any more. @throws TimeoutError, or what the work throws */
export async function within<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new TimeoutError(`no answer within ${milliseconds} ms`)), milliseconds);
    });
    try {
        return await Promise.race([work(), late]);
    } finally {
        clearTimeout(timer);
    }
}
