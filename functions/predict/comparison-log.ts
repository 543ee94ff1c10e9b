import { randomUUID } from "node:crypto";
import * as z from "zod";
import { scoreSchema } from "../clients/online-endpoint-protocol";
import type { Prediction } from "../prediction";

const sideSchema = z.object({
    version: z.string(),
    /** Time of the call that the prediction came with, in milliseconds. */
    ms: z.number(),
    churn: scoreSchema,
    purchase: scoreSchema,
    segment: z.string(),
});

/** What a model made for a player, kept for the comparison of two models: from both in the shadow mode, from one where each has its share. */
export const comparisonSchema = z
    .object({ at: z.iso.datetime(), playerId: z.string(), live: sideSchema.optional(), challenger: sideSchema.optional() })
    .refine(({ live, challenger }) => live !== undefined || challenger !== undefined, "neither model is there");

export type Comparison = z.output<typeof comparisonSchema>;
export type ComparisonSide = z.output<typeof sideSchema>;

/** One model's side of a comparison. */
export function sideOf({ modelVersion, churn, purchase, segment }: Prediction, ms: number): ComparisonSide {
    return { version: modelVersion, ms: Math.round(ms * 100) / 100, churn, purchase, segment: segment.name };
}

/** Where the comparisons go: files of JSON Lines that are added to. */
export interface ComparisonFiles {
    create(path: string): Promise<void>;
    append(path: string, text: string): Promise<void>;
}

/** Most comparisons between two writes; with more, the first ones are kept. */
const mostKept = 5_000;
const flushMs = 30_000;

/** Collects comparisons and writes them a few times a minute, a file a process and day. Nobody waits for it, and what cannot be written is lost. */
export class ComparisonLog {
    private kept: Comparison[] = [];
    private timer: NodeJS.Timeout | undefined;
    private writing: Promise<void> = Promise.resolve();
    private created: string | undefined;
    private readonly process = randomUUID().slice(0, 8);

    /** @param report told of each write that failed */
    constructor(
        private readonly files: () => Promise<ComparisonFiles>,
        private readonly now: () => number,
        private readonly report: (error: unknown) => void,
    ) {}

    add(comparison: Comparison): void {
        if (this.kept.length < mostKept) {
            this.kept.push(comparison);
        }
        this.timer ??= setTimeout(() => void this.flush(), flushMs).unref();
    }

    /** Writes what there is. */
    flush(): Promise<void> {
        clearTimeout(this.timer);
        this.timer = undefined;
        this.writing = this.writing.then(() => this.write()).catch(this.report);
        return this.writing;
    }

    private async write(): Promise<void> {
        const lines = this.kept;
        if (lines.length === 0) {
            return;
        }
        this.kept = [];
        const files = await this.files();
        const path = `${new Date(this.now()).toISOString().slice(0, 10)}/${this.process}.jsonl`;
        if (this.created !== path) {
            await files.create(path);
            this.created = path;
        }
        await files.append(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    }
}
