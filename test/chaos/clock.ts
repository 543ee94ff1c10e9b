const RealDate = Date;
let ahead = 0;

const now = () => RealDate.now() + ahead;

// A process's clock, ahead of the machine's: what waits for time to pass need not be waited for.
globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: [], newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    get: (target, name, receiver) => (name === "now" ? now : (Reflect.get(target, name, receiver) as unknown)),
});

/** From now on this process's clock is this many milliseconds ahead. */
export function aheadBy(milliseconds: number): void {
    ahead = milliseconds;
}
