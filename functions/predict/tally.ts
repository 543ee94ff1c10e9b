import type { Attributes, Meter, ObservableResult } from "@opentelemetry/api";

/**
 * Counts by kind, in plain numbers: the meter reads them when it exports. An OpenTelemetry counter looks up its attributes at every
 * `add`, which a path of a few microseconds would feel.
 */
export class Tally<Kind extends string> {
    private readonly counts = new Map<Kind, number>();

    add(kind: Kind, count = 1): void {
        if (count > 0) {
            this.counts.set(kind, (this.counts.get(kind) ?? 0) + count);
        }
    }

    get(kind: Kind): number {
        return this.counts.get(kind) ?? 0;
    }

    /** Shows the counts as a counter with the attribute `attribute`. */
    register(meter: Meter, name: string, attribute: string, description: string): void {
        meter.createObservableCounter(name, { description }).addCallback((result) => this.observe(result, attribute, {}));
    }

    observe(result: ObservableResult, attribute: string, others: Attributes): void {
        for (const [kind, count] of this.counts) {
            result.observe(count, { ...others, [attribute]: kind });
        }
    }
}

/** Shows tallies by model version as one counter, with the attribute `version` beside. */
export function registerAll<Kind extends string>(
    tallies: ReadonlyMap<string, Tally<Kind>>,
    meter: Meter,
    name: string,
    attribute: string,
    description: string,
): void {
    meter.createObservableCounter(name, { description }).addCallback((result) => {
        for (const [version, tally] of tallies) {
            tally.observe(result, attribute, { version });
        }
    });
}
