import * as z from "zod";
import type { OnlineEndpoint } from "../clients/online-endpoint";
import type { JsonLinesLog } from "./json-lines-log";

/**
 * A call of the model as it was made, to ask another model the same: the features of its players in their order. Who the players are is
 * left out, as no model looks at it.
 */
export const recordedRequestSchema = z.object({
    at: z.iso.datetime(),
    players: z.array(z.record(z.string(), z.union([z.number(), z.string()]))).min(1),
});

export type RecordedRequest = z.output<typeof recordedRequestSchema>;

export interface RecordingOptions {
    readonly log: Pick<JsonLinesLog<RecordedRequest>, "add">;
    /** Share of the calls that are recorded: 0 to 100. */
    readonly percent: number;
    /** Milliseconds since 1970. */
    readonly now: () => number;
    /** @default Math.random */
    readonly random?: () => number;
}

/** The model, with a share of its calls recorded, whatever it answers to them. */
export function recording(model: Pick<OnlineEndpoint, "predict">, { log, percent, now, random = Math.random }: RecordingOptions): Pick<OnlineEndpoint, "predict"> {
    return {
        predict(players, call) {
            if (random() * 100 < percent) {
                log.add({ at: new Date(now()).toISOString(), players: players.map(({ features }) => features) });
            }
            return model.predict(players, call);
        },
    };
}
