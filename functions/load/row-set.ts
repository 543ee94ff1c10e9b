/** A set of row numbers in a bit each: ten million take 1.25 MB at most. */
export class RowSet {
    #bits = new Uint8Array(1024);

    add(row: number): void {
        const byte = row >>> 3;
        if (byte >= this.#bits.length) {
            const larger = new Uint8Array(Math.max(byte + 1, 2 * this.#bits.length));
            larger.set(this.#bits);
            this.#bits = larger;
        }
        (this.#bits[byte] as number) |= 1 << (row & 7);
    }

    has(row: number): boolean {
        return ((this.#bits[row >>> 3] ?? 0) & (1 << (row & 7))) !== 0;
    }
}
