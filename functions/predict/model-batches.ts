import { bulkhead, type BulkheadPolicy } from "cockatiel";
import type { OnlineEndpoint } from "../clients/online-endpoint";
import { ModelAnswerError, ModelUnavailableError } from "../clients/online-endpoint-protocol";
import type { FingerprintedPrediction } from "../prediction";
import { Circuit } from "./circuit";
import { fingerprint } from "./fingerprint";
import type { Metrics } from "./metrics";
import type { Shadowed } from "./shadow";
import { type Batch, type Entry, type ModelAnswer, ModelQuestions, type Question } from "./model-questions";

/** How long a call waits for further players while others are in flight; a timer of 1 ms fires within 2. */
const windowMs = 1;
/** With less time than this left a call would only be cut off: the model works on after its caller left. */
const shortestCallMs = 20;
/** Weight of the newest call in the mean time of one. */
const newest = 0.2;

/** More was asked of the model than it can answer in time. */
export class ModelOverloadedError extends Error {
    override readonly name = "ModelOverloadedError";
    readonly retryable = true;

    constructor() {
        super("the model has more to do than it can answer within the deadline");
    }
}

export interface ModelAnswers {
    /** In the order of the questions. */
    readonly answers: readonly ModelAnswer[];
    /** Settles, and never rejects, when the predictions are stored; with the error if they are not. */
    readonly stored: Promise<unknown>;
}

export interface ModelBatchesOptions {
    readonly model: Pick<OnlineEndpoint, "predict">;
    /** The model's version, for the metrics. */
    readonly version: string;
    /** Most calls in flight; as many more may wait. */
    readonly maxCalls: number;
    /** A call that has this many players takes in no further request. */
    readonly batchPlayers: number;
    /** Keeps what the model said. */
    readonly store: (predictions: readonly FingerprintedPrediction[]) => Promise<void>;
    /** Told of what the model said and how long the call took, in milliseconds; must return at once. */
    readonly answered?: ((predicted: readonly Shadowed[]) => void) | undefined;
    /** Milliseconds since 1970. */
    readonly now: () => number;
    readonly metrics: Metrics;
}

/**
 * Asks the model in few calls. The misses of a request are one call; those of concurrent requests join it while it gathers: for a moment
 * when others are in flight, and for as long as all of the calls that the endpoint takes at a time are. Who asks for a player that is being
 * asked for with the same inputs shares the answer. What the model cannot answer in time is refused at once, and a model that fails again
 * and again is left alone.
 */
export class ModelBatches {
    private readonly slots: BulkheadPolicy;
    private readonly circuit = new Circuit(
        (error) => error instanceof ModelUnavailableError || error instanceof ModelAnswerError,
        (cause) => new ModelUnavailableError("the online endpoint is left alone for a second: its last calls failed", { retryable: true, cause }),
    );
    private readonly questions: ModelQuestions;
    private gathering: Batch | undefined;
    /** Mean time of a call that was answered, in milliseconds. */
    private callMs = 0;

    constructor(private readonly options: ModelBatchesOptions) {
        this.slots = bulkhead(options.maxCalls, options.maxCalls);
        this.questions = new ModelQuestions(options.now);
    }

    /** Calls in flight. */
    get calls(): number {
        return this.options.maxCalls - this.slots.executionSlots;
    }

    /**
     * Asks about players, each once.
     *
     * @param deadline when the answers are of no more use: milliseconds since 1970
     * @param maxAgeMs greatest age of an answer that was given to others just now; 0 takes none
     */
    async ask(questions: readonly Question[], deadline: number, maxAgeMs = Infinity): Promise<ModelAnswers> {
        const asked = this.join(questions, deadline, maxAgeMs);
        await this.wait(batchesOf(asked.filter((entry) => entry?.answer === undefined)), deadline);
        return {
            answers: this.answersOf(asked),
            stored: storedOf(asked),
        };
    }

    /** The entries of the questions; undefined for those that the model has no room for. */
    private join(questions: readonly Question[], deadline: number, maxAgeMs: number): (Entry | undefined)[] {
        const asked: (Entry | undefined)[] = [];
        const open: { readonly i: number; readonly key: string; readonly inputsFingerprint: string; readonly question: Question }[] = [];
        questions.forEach((question, i) => {
            const inputsFingerprint = fingerprint(question.features);
            const key = `${inputsFingerprint}${question.playerId}`;
            const entry = this.questions.find(key, maxAgeMs);
            if (entry) {
                entry.deadline = Math.max(entry.deadline, deadline);
                asked[i] = entry;
            } else {
                asked[i] = undefined;
                open.push({ i, key, inputsFingerprint, question });
            }
        });
        this.options.metrics.shared.add(questions.length - open.length);
        const batch = open.length > 0 ? this.batchFor(open.map(({ question }) => question), deadline) : undefined;
        if (batch) {
            for (const { i, key, inputsFingerprint, question } of open) {
                const entry: Entry = { ...question, key, inputsFingerprint, batch, deadline, askedAt: undefined, answer: undefined };
                batch.entries.set(entry.playerId, entry);
                this.questions.add(entry);
                asked[i] = entry;
            }
            if (batch.entries.size >= this.options.batchPlayers) {
                this.dispatch(batch);
            }
        }
        return asked;
    }

    /** The batch that takes all of the questions; undefined when the model would not answer it in time. */
    private batchFor(questions: readonly Question[], deadline: number): Batch | undefined {
        const { gathering } = this;
        const joins =
            gathering !== undefined &&
            gathering.entries.size + questions.length <= this.options.batchPlayers &&
            // A player is in a call once; asked for with other inputs, it is in the next.
            !questions.some(({ playerId }) => gathering.entries.has(playerId));
        if (gathering && !joins) {
            this.dispatch(gathering);
            this.gathering = undefined;
        }
        if (!this.answersBy(deadline) || (!joins && this.slots.executionSlots + this.slots.queueSlots === 0)) {
            return undefined;
        }
        return joins ? gathering : this.open();
    }

    /** Whether a call that is asked for now is answered by then, as calls go now. Always, where one may be made at once. */
    private answersBy(deadline: number): boolean {
        const { maxCalls, now } = this.options;
        const ahead = maxCalls - this.slots.queueSlots + 1;
        return this.slots.executionSlots > 0 || now() + this.callMs * (ahead / maxCalls + 1) <= deadline;
    }

    private open(): Batch {
        const { promise, resolve } = Promise.withResolvers<void>();
        const batch: Batch = { entries: new Map(), answered: promise, settle: resolve, state: "gathering", stored: Promise.resolve() };
        this.gathering = batch;
        if (this.calls === 0) {
            // Those who came in the same turn of the event loop join; nobody waits for more.
            setImmediate(() => this.dispatch(batch));
        } else {
            setTimeout(() => this.dispatch(batch), windowMs);
        }
        return batch;
    }

    /** Sends the batch as soon as the endpoint has room for a call; until then it goes on gathering. */
    private dispatch(batch: Batch): void {
        if (batch.state !== "gathering") {
            return;
        }
        batch.state = "waiting";
        this.slots
            .execute(() => this.send(batch))
            // There was a place in the queue when the batch was opened, and another batch has taken it since.
            .catch(() => this.answer(batch, [...batch.entries.values()], { fault: new ModelOverloadedError() }))
            .finally(batch.settle);
    }

    private async send(batch: Batch): Promise<void> {
        batch.state = "sent";
        if (this.gathering === batch) {
            this.gathering = undefined;
        }
        const now = this.options.now();
        // A call that is alone is always made, or the mean of better days, or worse, could never change.
        const needed = Math.max(shortestCallMs, this.calls > 1 ? this.callMs : 0);
        const entries = [...batch.entries.values()];
        const late = entries.filter(({ deadline }) => deadline - now < needed);
        this.answer(batch, late, { fault: new ModelOverloadedError() });
        const inTime = entries.filter(({ answer }) => answer === undefined);
        if (inTime.length === 0) {
            return;
        }
        try {
            await this.circuit.run(() => this.call(batch, inTime));
        } catch (fault) {
            this.answer(batch, inTime, { fault });
        }
    }

    private async call(batch: Batch, entries: readonly Entry[]): Promise<void> {
        const { model, now, store, metrics, version, answered } = this.options;
        const startedAt = now();
        const deadline = entries.reduce((latest, entry) => Math.max(latest, entry.deadline), 0);
        const players = entries.map(({ playerId, features }) => ({ playerId, features }));
        const answer = await metrics.modelCall(version, players.length, () => model.predict(players, { deadline }));
        const ms = now() - startedAt;
        this.callMs += (ms - this.callMs) * (this.callMs === 0 ? 1 : newest);

        const refusals = new Map(answer.errors.map(({ playerId, message }) => [playerId, message]));
        const predictions = new Map(answer.predictions.map((prediction) => [prediction.playerId, prediction]));
        const fingerprinted = entries.flatMap(({ playerId, inputsFingerprint }) => {
            const prediction = predictions.get(playerId);
            return prediction ? [{ ...prediction, inputsFingerprint }] : [];
        });
        batch.stored = store(fingerprinted).then(
            () => undefined,
            (error: unknown) => error,
        );
        for (const entry of entries) {
            const prediction = predictions.get(entry.playerId);
            entry.askedAt = startedAt;
            entry.answer = prediction ? { prediction } : { refusal: refusals.get(entry.playerId) ?? "the model refuses it" };
        }
        void batch.stored.then(() => this.questions.keep(entries));
        answered?.(
            players.flatMap((player) => {
                const prediction = predictions.get(player.playerId);
                return prediction ? [{ player, prediction, ms }] : [];
            }),
        );
    }

    /** Gives entries their answer and shares them with nobody from here on. */
    private answer(batch: Batch, entries: readonly Entry[], answer: ModelAnswer): void {
        this.questions.drop(entries);
        for (const entry of entries) {
            entry.answer = answer;
        }
        if (this.gathering === batch) {
            this.gathering = undefined;
        }
    }

    private async wait(batches: readonly Batch[], deadline: number): Promise<void> {
        if (batches.length === 0) {
            return;
        }
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<void>((resolve) => {
            timer = setTimeout(resolve, Math.max(0, deadline - this.options.now()));
        });
        try {
            await Promise.race([Promise.all(batches.map((batch) => batch.answered)), late]);
        } finally {
            clearTimeout(timer);
        }
    }

    /** The answers at the deadline, or before when all are there. */
    private answersOf(asked: readonly (Entry | undefined)[]): ModelAnswer[] {
        const unanswered = { fault: new ModelUnavailableError("the online endpoint did not answer before the deadline", { retryable: false }) };
        const unasked = { fault: new ModelOverloadedError() };
        return asked.map((entry) => entry?.answer ?? (entry?.batch.state === "sent" ? unanswered : unasked));
    }
}

function batchesOf(asked: readonly (Entry | undefined)[]): Batch[] {
    return [...new Set(asked.flatMap((entry) => (entry ? [entry.batch] : [])))];
}

async function storedOf(asked: readonly (Entry | undefined)[]): Promise<unknown> {
    const errors = await Promise.all(batchesOf(asked).map((batch) => batch.stored));
    return errors.find((error) => error !== undefined);
}
