import * as z from "zod";
import { statisticsFolder, trainingStatisticsFile } from "../contracts";

const counts = z.array(z.int().min(0));
const histogram = { edges: z.array(z.number()), counts, sum: z.number() };

const numberSchema = z.object({ type: z.literal("number"), ...histogram, missing: z.int().min(0) }).refine(fits, "counts must be one more than edges");
const categorySchema = z.object({
    type: z.literal("category"),
    counts: z.record(z.string(), z.int().min(0)),
    unseen: z.record(z.string(), z.int().min(0)),
    unseenOthers: z.int().min(0),
    missing: z.int().min(0),
});
const scoreSchema = z.object(histogram).refine(fits, "counts must be one more than edges");

const schema = z.object({
    shape: z.literal(1),
    modelVersion: z.string().optional(),
    players: z.int().min(0),
    features: z.record(z.string(), z.discriminatedUnion("type", [numberSchema, categorySchema])),
    scores: z.record(z.string(), scoreSchema),
    segments: counts,
});

/** Counts of players, as `ml/player_statistics.py` writes and describes them. */
export type Statistics = z.output<typeof schema>;
export type Histogram = z.output<typeof scoreSchema>;
export type NumberCounts = z.output<typeof numberSchema>;
export type CategoryCounts = z.output<typeof categorySchema>;

/** Counts that are none, or that were not counted alike and so cannot be put side by side. */
export class StatisticsError extends Error {
    override readonly name = "StatisticsError";
    readonly retryable = false;
}

/** Whether a file below a batch job's output has counts of its players: files that are hidden are still being written. */
export function holdsCounts(path: string): boolean {
    const [folder, name = ""] = path.split("/").slice(-2);
    return folder === statisticsFolder && /^[^.].*\.json$/.test(name) && name !== trainingStatisticsFile;
}

/**
 * Reads a file of counts.
 *
 * @param place names it in the error
 * @throws StatisticsError saying where it is wrong.
 */
export function readStatistics(text: string, place: string): Statistics {
    let content: unknown;
    try {
        content = JSON.parse(text);
    } catch (cause) {
        throw new StatisticsError(`${place}: no JSON, expected counts of players`, { cause });
    }
    const parsed = schema.safeParse(content);
    if (!parsed.success) {
        const issue = parsed.error.issues[0];
        throw new StatisticsError(`${place}: no counts of players: ${issue?.path.join(".") || "its root"}: ${issue?.message ?? "wrong"}`);
    }
    return parsed.data;
}

/**
 * The sum of counts that were made with the bins of one model.
 *
 * @param places names each of them in errors
 * @throws StatisticsError when there are none, or where two were not counted alike.
 */
export function sumStatistics(all: readonly Statistics[], places: readonly string[]): Statistics {
    const [first, ...others] = all;
    if (first === undefined) {
        throw new StatisticsError("there are no counts of players");
    }
    return others.reduce((sum, one, i) => add(sum, one, `${places[i + 1] ?? "counts"} and ${places[0] ?? "counts"}`), first);
}

function add(a: Statistics, b: Statistics, places: string): Statistics {
    if (a.modelVersion !== b.modelVersion) {
        throw new StatisticsError(`${places} are of different models (${b.modelVersion ?? "none"}, ${a.modelVersion ?? "none"}): compare one model at a time`);
    }
    return {
        ...a,
        players: a.players + b.players,
        features: Object.fromEntries(Object.entries(a.features).map(([name, counts]) => [name, addFeature(counts, b.features[name], `${name} of ${places}`)])),
        scores: Object.fromEntries(Object.entries(a.scores).map(([name, counts]) => [name, addHistogram(counts, b.scores[name], `${name} of ${places}`)])),
        segments: addCounts(a.segments, b.segments),
    };
}

function addFeature(a: NumberCounts | CategoryCounts, b: NumberCounts | CategoryCounts | undefined, places: string): NumberCounts | CategoryCounts {
    if (a.type === "number" && b?.type === "number") {
        return { ...a, ...addHistogram(a, b, places), missing: a.missing + b.missing };
    }
    if (a.type === "category" && b?.type === "category") {
        return {
            type: "category",
            counts: addNamed(a.counts, b.counts),
            unseen: addNamed(a.unseen, b.unseen),
            unseenOthers: a.unseenOthers + b.unseenOthers,
            missing: a.missing + b.missing,
        };
    }
    throw new StatisticsError(`${places} was not counted alike: a ${a.type} and ${b === undefined ? "nothing" : `a ${b.type}`}`);
}

function addHistogram<T extends Histogram>(a: T, b: Histogram | undefined, places: string): T {
    expectSameEdges(a, b, places);
    return { ...a, counts: addCounts(a.counts, b.counts), sum: a.sum + b.sum };
}

/** @throws StatisticsError */
export function expectSameEdges(a: Histogram, b: Histogram | undefined, places: string): asserts b is Histogram {
    if (b === undefined || a.edges.length !== b.edges.length || a.edges.some((edge, i) => edge !== b.edges[i])) {
        throw new StatisticsError(`${places} was not counted in the same bins: count both with one model's`);
    }
}

function addCounts(a: readonly number[], b: readonly number[]): number[] {
    return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0));
}

function addNamed(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
    const sum = new Map(Object.entries(a));
    for (const [name, count] of Object.entries(b)) {
        sum.set(name, (sum.get(name) ?? 0) + count);
    }
    return Object.fromEntries(sum);
}

function fits({ edges, counts: each }: { readonly edges: readonly number[]; readonly counts: readonly number[] }): boolean {
    return each.length === edges.length + 1;
}
