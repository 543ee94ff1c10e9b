// Before everything that opens a connection.
import { countedCalls, countFromHere } from "./outside-calls";
import { aheadBy } from "./clock";
import type { InvocationContext, Timer } from "@azure/functions";
import { ingestLogs } from "../../functions/ingest/handler";
import { loadFile } from "../../functions/load/handler";
import { followJob, reconcileBatches } from "../../functions/reconcile/handler";
import { scoreFolder } from "../../functions/score/handler";
import { services } from "../../functions/services";
import { type Order, type Outcome, type Point, stepOf, type Work } from "./orders";

/**
 * A process that runs the handlers as the Functions host would, on the app settings of its environment, one invocation at a time. It
 * kills or stops itself at the point of an order: no signal from outside could be so exact, and it is the same signal.
 */
const timer: Timer = { isPastDue: false, schedule: { adjustForDST: false }, scheduleStatus: { last: "", next: "", lastUpdated: "" } };
const handlers: Record<Work, (message: unknown, context: InvocationContext) => unknown> = {
    ingest: (_message, context) => ingestLogs(timer, context),
    score: scoreFolder,
    load: loadFile,
    reconcile: (_message, context) => reconcileBatches(timer, context),
    jobs: followJob,
};

function signalAt(signal: "SIGKILL" | "SIGSTOP", point: Point | undefined): { calls: [number, () => void][]; step: (name: string) => void } {
    const signalNow = () => void process.kill(process.pid, signal);
    return {
        calls: point !== undefined && "call" in point ? [[point.call, signalNow]] : [],
        step: (name) => {
            if (point !== undefined && "step" in point && point.step === name) {
                signalNow();
            }
        },
    };
}

async function run({ work, message, killAt, haltAt, aheadMs = 0 }: Order): Promise<Outcome> {
    const [kill, halt] = [signalAt("SIGKILL", killAt), signalAt("SIGSTOP", haltAt)];
    const steps: string[] = [];
    const log = (line: unknown) => {
        const step = stepOf(String(line));
        console.log(line);
        steps.push(step);
        kill.step(step);
        halt.step(step);
    };
    const context = { log, info: log, warn: log, error: log, debug: log, trace: log } as unknown as InvocationContext;
    aheadBy(aheadMs);
    countFromHere(new Map([...kill.calls, ...halt.calls]));
    try {
        await handlers[work](message, context);
        return { calls: countedCalls(), steps };
    } catch (error) {
        return { failure: reasonOf(error), calls: countedCalls(), steps };
    } finally {
        countFromHere(new Map());
    }
}

function reasonOf(error: unknown): string {
    return error instanceof Error ? `${error.stack}${error.cause === undefined ? "" : `\ncaused by ${reasonOf(error.cause)}`}` : String(error);
}

process.on("message", (order: Order) => void run(order).then((outcome) => process.send?.(outcome)));
// Whoever started it is gone, and be it by a kill.
process.on("disconnect", () => process.exit());
// Loaded before the first order, as in an instance that has been there for a while.
void services.coldPath().then(() => process.send?.("ready"));
