/** An option of a command is no number that it takes. */
export class OptionError extends Error {
    override readonly name = "OptionError";
}

/** The number of an option. @throws OptionError */
export function aboveZero(option: string, value: string): number {
    if (!(Number(value) > 0)) {
        throw new OptionError(`${option} is ${JSON.stringify(value)}, expected a number above 0`);
    }
    return Number(value);
}

/** 0 of none. */
export function mean(numbers: readonly number[]): number {
    return numbers.reduce((sum, each) => sum + each, 0) / Math.max(1, numbers.length);
}

export function sorted(numbers: readonly number[]): number[] {
    return [...numbers].sort((a, b) => a - b);
}

/** By the nearest rank; 0 of none. */
export function quantile(ascending: readonly number[], q: number): number {
    return ascending[Math.max(0, Math.ceil(q * ascending.length) - 1)] ?? 0;
}
