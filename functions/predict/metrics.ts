import type { Histogram, Meter } from "@opentelemetry/api";
import { ModelAnswerError, ModelUnavailableError } from "../clients/online-endpoint-protocol";
import type { PlayerError } from "./answer";
import { registerAll, Tally } from "./tally";

/** Where a player's answer came from, as an operator wants to know it: one step finer than `source` of the answer. */
export type Tier = "memory" | "redis" | "model" | "stale";

type CallOutcome = "answered" | "wrong" | "unavailable" | "throttled";

const seconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const players = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** What the prediction endpoint tells of itself. */
export class Metrics {
    /** Requests by status. */
    readonly requests = new Tally<string>();
    /** Answered players by where the answer came from, by the version of the model that made it. */
    private readonly answers = new Map<string, Tally<Tier>>();
    /** Players without an answer by the error's code. */
    readonly errors = new Tally<PlayerError["code"]>();
    /** Players who shared the answer of a call that was under way. */
    readonly shared = { count: 0, add: (count: number): void => void (this.shared.count += count) };
    /** Calls of the models by how they ended, by version. */
    private readonly modelCalls = new Map<string, Tally<CallOutcome>>();
    /** What became of the players whom a challenger was to predict in the shadow. */
    readonly shadowPlayers = new Tally<"compared" | "dropped" | "failed">();
    /** Their labels, against those of the model in service. */
    readonly shadowLabels = new Tally<"agrees" | "differs">();
    /** Reads of Redis that failed or were left out, and writes that failed. */
    readonly cacheFaults = new Tally<"read" | "write">();
    private histograms: { readonly request: Histogram; readonly modelCall: Histogram; readonly batch: Histogram } | undefined;

    /** Shows everything through a meter: the counts so far, and times from here on. */
    attach(meter: Meter): void {
        this.requests.register(meter, "predictions.requests", "status", "Requests for predictions, by HTTP status");
        registerAll(this.answers, meter, "predictions.answers", "tier", "Players answered, by where the answer came from and the model's version");
        this.errors.register(meter, "predictions.errors", "code", "Players without a prediction, by error code");
        registerAll(this.modelCalls, meter, "predictions.model.calls", "outcome", "Calls of the online endpoint, by outcome and the model's version");
        this.shadowPlayers.register(meter, "predictions.shadow.players", "outcome", "Players for a challenger in the shadow, by what became of them");
        this.shadowLabels.register(meter, "predictions.shadow.labels", "agreement", "Labels of a challenger in the shadow, by whether they are the same");
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

    /** Counts players' answers. */
    answered(tier: Tier, version: string, count = 1): void {
        tallyOf(this.answers, version).add(tier, count);
    }

    /** Players answered so far from a tier. */
    answeredFrom(tier: Tier): number {
        return [...this.answers.values()].reduce((sum, tally) => sum + tally.get(tier), 0);
    }

    /** Makes a call of the model of this version and counts it. */
    async modelCall<T>(version: string, playerCount: number, call: () => Promise<T>): Promise<T> {
        const calls = tallyOf(this.modelCalls, version);
        this.histograms?.batch.record(playerCount, { version });
        const startedAt = performance.now();
        try {
            const answer = await call();
            calls.add("answered");
            return answer;
        } catch (error) {
            calls.add(outcomeOf(error));
            throw error;
        } finally {
            this.histograms?.modelCall.record((performance.now() - startedAt) / 1000, { version });
        }
    }
}

function tallyOf<Kind extends string>(tallies: Map<string, Tally<Kind>>, version: string): Tally<Kind> {
    let tally = tallies.get(version);
    if (tally === undefined) {
        tally = new Tally();
        tallies.set(version, tally);
    }
    return tally;
}

function outcomeOf(error: unknown): CallOutcome {
    if (error instanceof ModelAnswerError) {
        return "wrong";
    }
    return error instanceof ModelUnavailableError && error.status === 429 ? "throttled" : "unavailable";
}
