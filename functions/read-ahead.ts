/**
 * The same entries in the same order, each asked for while the reader still has the one before: of a listing, the service makes the next page
 * while this one is gone through. One entry more than the reader's is held at a time.
 *
 * @throws what the source throws, when the reader gets there
 */
export async function* readAhead<T>(source: AsyncIterator<T, unknown>): AsyncGenerator<T> {
    let next = source.next();
    for (;;) {
        const entry = await next;
        if (entry.done) {
            return;
        }
        next = source.next();
        // A reader that stops early does not get to this failure, which would then end the process.
        next.catch(() => undefined);
        yield entry.value;
    }
}
