/** Prints a line a step, with the seconds since the start: what a person watches while the stack comes up. */
export class Progress {
    readonly #started = performance.now();

    /** Says what is done from now on. */
    step(text: string): void {
        console.log(`[${this.seconds.toFixed(1).padStart(6)} s] ${text}`);
    }

    get seconds(): number {
        return (performance.now() - this.#started) / 1000;
    }
}
