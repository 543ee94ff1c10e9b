import type { Histogram, Meter } from "@opentelemetry/api";
import { ModelAnswerError, ModelUnavailableError } from "../clients/online-endpoint-protocol";
import type { PlayerError } from "./answer";
import { Tally } from "./tally";

/** Where a player's answer came from, as an operator wants to know it: one step finer than `source` of the answer. */
export type Tier = "memory" | "redis" | "model" | "stale";

const seconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const players = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** What the prediction endpoint tells of itself. */
export class Metrics {
    /** Requests by status. */
    readonly requests = new Tally<string>();
    /** Answered players by where the answer came from. */
    readonly answers = new Tally<Tier>();
    /** Players without an answer by the error's code. */
    readonly errors = new Tally<PlayerError["code"]>();
    /** Players who shared the answer of a call that was under way. */
    readonly shared = { count: 0, add: (count: number): void => void (this.shared.count += count) };
    /** Calls of the model by how they ended. */
    readonly modelCalls = new Tally<"answered" | "wrong" | "unavailable" | "throttled">();
    /** Reads of Redis that failed or were left out, and writes that failed. */
    readonly cacheFaults = new Tally<"read" | "write">();
    private histograms: { readonly request: Histogram; readonly modelCall: Histogram; readonly batch: Histogram } | undefined;

    /** Shows everything through a meter: the counts so far, and times from here on. */
    attach(meter: Meter): void {
        this.requests.register(meter, "predictions.requests", "status", "Requests for predictions, by HTTP status");
        this.answers.register(meter, "predictions.answers", "tier", "Players answered, by where the answer came from");
        this.errors.register(meter, "predictions.errors", "code", "Players without a prediction, by error code");
        this.modelCalls.register(meter, "predictions.model.calls", "outcome", "Calls of the online endpoint, by outcome");
        this.cacheFaults.register(meter, "predictions.cache.faults", "operation", "Reads and writes of Redis that failed or were left out");
        meter
            .createObservableCounter("predictions.model.shared", { description: "Players who shared the answer of a call under way" })
            .addCallback((result) => result.observe(this.shared.count));
        const histogram = (name: string, unit: string, description: string, boundaries: number[]): Histogram =>
            meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: boundaries } });
        this.histograms = {
            request: histogram("predictions.request.duration", "s", "Time of a request for predictions", seconds),
            modelCall: histogram("predictions.model.call.duration", "s", "Time of a call of the online endpoint", seconds),
            batch: histogram("predictions.model.batch", "{player}", "Players a call of the online endpoint", players),
        };
    }

    /** Counts a request that is answered with this status. */
    request(status: number, milliseconds: number): void {
        this.requests.add(String(status));
        this.histograms?.request.record(milliseconds / 1000);
    }

    /** Makes a call of the model and counts it. */
    async modelCall<T>(playerCount: number, call: () => Promise<T>): Promise<T> {
        this.histograms?.batch.record(playerCount);
        const startedAt = performance.now();
        try {
            const answer = await call();
            this.modelCalls.add("answered");
            return answer;
        } catch (error) {
            this.modelCalls.add(outcomeOf(error));
            throw error;
        } finally {
            this.histograms?.modelCall.record((performance.now() - startedAt) / 1000);
        }
    }
}

function outcomeOf(error: unknown): "wrong" | "unavailable" | "throttled" {
    if (error instanceof ModelAnswerError) {
        return "wrong";
    }
    return error instanceof ModelUnavailableError && error.status === 429 ? "throttled" : "unavailable";
}
