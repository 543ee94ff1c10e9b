/** Builds a value at its first use and keeps it: clients hold connections, and an instance of the app wants one of each. */
export function once<T>(build: () => T): () => T {
    let built: { readonly value: T } | undefined;
    return () => (built ??= { value: build() }).value;
}
