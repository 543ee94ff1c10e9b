/** What a call of a killed process ends with. */
export class Killed extends Error {
    override readonly name = "Killed";
}

/** The life of a process that is killed at one of its calls. */
export interface Mortal {
    /** The same object, whose methods of these names count, and fail from the fatal call on; the others just fail from then on. */
    wrap<T extends object>(part: T, counted: readonly (keyof T)[]): T;
    /** Whether the fatal call came. */
    readonly dead: boolean;
}

/**
 * A process that is killed at its nth counted call to any of the parts: `before` the call has an effect, or `after` it had it and
 * before anybody learns of it. A killed process does nothing more. Calls that only read need no counting: being killed there is
 * being killed after the change before.
 */
export function mortal(fatalCall: number, when: "before" | "after"): Mortal {
    let calls = 0;
    let dead = false;

    async function live(counts: boolean, call: () => unknown): Promise<unknown> {
        calls += counts ? 1 : 0;
        const fatal = counts && calls === fatalCall;
        dead ||= fatal && when === "before";
        if (dead) {
            throw new Killed();
        }
        const result = await call();
        dead ||= fatal;
        if (dead) {
            throw new Killed();
        }
        return result;
    }

    return {
        get dead() {
            return dead;
        },
        wrap: (part, counted) =>
            new Proxy(part, {
                get(target, name): unknown {
                    const value: unknown = Reflect.get(target, name);
                    if (typeof value !== "function" || passed.has(name)) {
                        return value;
                    }
                    const method = value as (...args: unknown[]) => unknown;
                    const counts = (counted as readonly PropertyKey[]).includes(name);
                    return (...args: unknown[]) => live(counts, () => method.apply(target, args));
                },
            }),
    };
}

/** Methods that give something else than a promise. */
const passed = new Set<PropertyKey>(["list", "containerUrl", "rows", "draft"]);
