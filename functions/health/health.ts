import * as z from "zod";
import { within } from "../within";

/** The state of the service: `up` when everything that it depends on is. */
export const healthSchema = z.object({
    status: z.enum(["up", "down"]),
    checkedAt: z.iso.datetime(),
    checks: z.array(
        z.object({
            name: z.string(),
            status: z.enum(["up", "down"]),
            milliseconds: z.int().min(0).describe("How long the check took."),
            detail: z.string().optional().describe("The kind of error; the log has the rest."),
        }),
    ),
});

export type Health = z.output<typeof healthSchema>;
type CheckResult = Health["checks"][number];

/** Checks one dependency; rejects when it is down. */
export type Check = (call: { readonly deadline: number }) => Promise<void>;

export interface HealthOptions {
    /** Longest time for each check, in milliseconds. @default 2000 */
    readonly timeoutMs?: number;
    /** For how long a result is given again, in milliseconds: asking for the health must put no load on what it checks. @default 5000 */
    readonly keepMs?: number;
    /** Milliseconds since 1970. */
    readonly now?: () => number;
    /** Told of each failed check, for the log. */
    readonly report?: (name: string, error: unknown) => void;
}

/** Checks everything at once; callers at the same time, and within `keepMs`, share one result. */
export function createHealth(checks: Readonly<Record<string, Check>>, options: HealthOptions = {}): () => Promise<Health> {
    const { timeoutMs = 2_000, keepMs = 5_000, now = Date.now, report = () => undefined } = options;
    let last: { readonly startedAt: number; readonly health: Promise<Health> } | undefined;

    async function run(name: string, check: Check): Promise<CheckResult> {
        const startedAt = now();
        const result = (status: "up" | "down"): CheckResult => ({ name, status, milliseconds: Math.max(0, Math.round(now() - startedAt)) });
        try {
            await within(timeoutMs, async () => check({ deadline: startedAt + timeoutMs }));
            return result("up");
        } catch (error) {
            report(name, error);
            return { ...result("down"), detail: kindOf(error) };
        }
    }

    async function runAll(): Promise<Health> {
        const results = await Promise.all(Object.entries(checks).map(([name, check]) => run(name, check)));
        const status = results.every((result) => result.status === "up") ? "up" : "down";
        return { status, checkedAt: new Date(now()).toISOString(), checks: results };
    }

    return () => {
        if (last === undefined || now() - last.startedAt >= keepMs) {
            last = { startedAt: now(), health: runAll() };
        }
        return last.health;
    };
}

/** The error's class and nothing of its message: the health is readable without a key, and messages name hosts and accounts. */
function kindOf(error: unknown): string {
    return error instanceof Error ? error.name : "Error";
}
