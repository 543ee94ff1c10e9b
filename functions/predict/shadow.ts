import type { ModelPlayer, OnlineAnswer } from "../clients/online-endpoint-protocol";
import type { OnlineEndpoint } from "../clients/online-endpoint";
import type { Prediction } from "../prediction";
import { type Comparison, sideOf } from "./comparison-log";
import type { JsonLinesLog } from "./json-lines-log";
import { isInShare } from "./model-choice";
import type { Tally } from "./tally";

/** What the model in service made of a player, for the challenger to be compared with. */
export interface Shadowed {
    readonly player: ModelPlayer;
    readonly prediction: Prediction;
    /** Time of the call, in milliseconds. */
    readonly ms: number;
}

export interface ShadowOptions {
    readonly model: Pick<OnlineEndpoint, "predict">;
    /** Share of the players that are compared: 0 to 100. */
    readonly percent: number;
    /** Most players a call. */
    readonly batchPlayers: number;
    /** Milliseconds since 1970. */
    readonly now: () => number;
    readonly log: Pick<JsonLinesLog<Comparison>, "add">;
    /** Players `compared`, `dropped` because too many were waiting, and `failed`. */
    readonly players: Tally<"compared" | "dropped" | "failed">;
    /** Labels of compared players. */
    readonly labels: Tally<"agrees" | "differs">;
}

/** Most players that wait. */
const mostWaiting = 1_000;
/** Nobody waits for the answer; but a challenger that hangs must not hold up those who come after. */
const callMs = 5_000;

/** Has the challenger predict, after their answer and one call at a time, the players whom the model in service was asked about. */
export class Shadow {
    private waiting: Shadowed[] = [];
    private running: Promise<void> | undefined;

    constructor(private readonly options: ShadowOptions) {}

    /** Takes players who were answered; returns at once. */
    offer(shadowed: readonly Shadowed[]): void {
        const { percent, players } = this.options;
        const chosen = shadowed.filter(({ player }) => isInShare(player.playerId, percent));
        const room = Math.max(0, mostWaiting - this.waiting.length);
        this.waiting.push(...chosen.slice(0, room));
        players.add("dropped", chosen.length - Math.min(room, chosen.length));
        if (this.waiting.length > 0) {
            this.running ??= this.run();
        }
    }

    /** Settles when nobody waits any more. */
    async idle(): Promise<void> {
        await this.running;
    }

    private async run(): Promise<void> {
        // In a turn of its own: the answers go first.
        await new Promise((resolve) => setImmediate(resolve));
        while (this.waiting.length > 0) {
            await this.compare(this.take());
        }
        this.running = undefined;
    }

    /** The players of one call: each once, as the endpoint wants them. */
    private take(): Map<string, Shadowed> {
        const taken = new Map<string, Shadowed>();
        const left: Shadowed[] = [];
        for (const each of this.waiting) {
            if (taken.size < this.options.batchPlayers && !taken.has(each.player.playerId)) {
                taken.set(each.player.playerId, each);
            } else {
                left.push(each);
            }
        }
        this.waiting = left;
        return taken;
    }

    private async compare(taken: ReadonlyMap<string, Shadowed>): Promise<void> {
        const { model, now, players } = this.options;
        const startedAt = now();
        let answer: OnlineAnswer;
        try {
            answer = await model.predict([...taken.values()].map(({ player }) => player), { deadline: startedAt + callMs });
        } catch {
            // The metric tells of it; the endpoint's own logs have the reason.
            players.add("failed", taken.size);
            return;
        }
        const ms = now() - startedAt;
        for (const theirs of answer.predictions) {
            const ours = taken.get(theirs.playerId);
            if (ours !== undefined) {
                this.tell(ours, theirs, ms);
            }
        }
        players.add("compared", answer.predictions.length);
        players.add("failed", taken.size - answer.predictions.length);
    }

    private tell({ prediction: ours, ms: ourMs }: Shadowed, theirs: Prediction, ms: number): void {
        const agreeing = Number(ours.churn.label === theirs.churn.label) + Number(ours.purchase.label === theirs.purchase.label);
        this.options.labels.add("agrees", agreeing);
        this.options.labels.add("differs", 2 - agreeing);
        this.options.log.add({ at: new Date(this.options.now()).toISOString(), playerId: ours.playerId, live: sideOf(ours, ourMs), challenger: sideOf(theirs, ms) });
    }
}
