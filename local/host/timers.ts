import { Cron } from "croner";
import { PackageError } from "./errors";
import type { TimerFunction } from "./functions";
import type { BackgroundInvocations, TriggerInput } from "./invocation";

/** What NCRONTAB allows in a field; croner would take more (`L`, `W`, `#`, `?`), which then failed in Azure. */
const value = String.raw`(?:\d+|[a-z]{3,9})`;
const part = String.raw`(?:\*|${value}(?:-${value})?)(?:/\d+)?`;
const field = new RegExp(`^${part}(?:,${part})*$`, "i");

/** How .NET writes a time that never was. */
const never = "0001-01-01T00:00:00Z";

/**
 * One timer trigger: runs its function on schedule, never while the run before is under way, and on demand.
 *
 * The schedule is NCRONTAB, seconds first, in UTC; a day must match both its field of the month and its field of the week
 * (https://github.com/atifaziz/NCrontab). The host keeps no state over restarts, so no run is ever past due.
 */
export class TimerTrigger {
    readonly #cron: Cron;
    #status: { Last: string; Next: string; LastUpdated: string };

    /** @throws PackageError when the schedule is not NCRONTAB with six fields */
    constructor(
        readonly target: TimerFunction,
        private readonly invocations: BackgroundInvocations,
        private readonly now: () => Date,
    ) {
        const { schedule } = target;
        const fields = schedule.trim().split(/\s+/);
        try {
            if (fields.length !== 6 || !fields.every((text) => field.test(text))) {
                throw new TypeError("expected six fields: second minute hour day month day-of-week");
            }
            this.#cron = new Cron(
                fields.join(" "),
                { mode: "6-part", utcOffset: 0, domAndDow: true, sloppyRanges: true, protect: true, paused: true },
                async () => {
                    await this.#runScheduled();
                },
            );
        } catch (cause) {
            const name = target.registered.metadata.name;
            throw new PackageError(`function "${name}": its schedule "${schedule}" is wrong: ${(cause as Error).message}`, { cause });
        }
        this.#status = { Last: never, Next: this.next, LastUpdated: never };
    }

    start(): void {
        if (this.target.runOnStartup) {
            void this.run("runOnStartup");
        }
        this.#cron.resume();
    }

    stop(): void {
        this.#cron.stop();
    }

    /** Runs the function now, whatever else it is doing. */
    run(reason: string): Promise<boolean> {
        return this.invocations.run(this.target.registered, this.#input(), reason);
    }

    async #runScheduled(): Promise<void> {
        const firedAt = this.now().toISOString();
        await this.run(`Timer fired at ${firedAt}`);
        this.#status = { Last: firedAt, Next: this.next, LastUpdated: this.now().toISOString() };
    }

    #input(): TriggerInput {
        const info = { Schedule: { AdjustForDST: true }, ScheduleStatus: this.#status, IsPastDue: false };
        return { name: this.target.binding, data: { json: JSON.stringify(info) } };
    }

    /** When the schedule comes next, as ISO 8601. */
    get next(): string {
        return this.#cron.nextRun(this.now())?.toISOString() ?? never;
    }
}
