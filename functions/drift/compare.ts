import { type CategoryCounts, expectSameEdges, type Histogram, type NumberCounts, type Statistics, StatisticsError } from "./statistics";

/** Fewer players than this may differ as much by chance: the index of equal distributions has a mean of about (bins - 1) / players. */
export const fewestPlayers = 500;

/** Above which a column has drifted: each by itself is enough. */
export interface DriftLimits {
    /** Of the population stability index. */
    readonly psi: number;
    /** Of the share of players, from 0 to 1, with a category that training has not seen: the models take it for a missing value. */
    readonly unseen: number;
}

/** Of the index, a usual rule: below 0.1 nothing, above 0.2 look. */
export const defaultLimits: DriftLimits = { psi: 0.2, unseen: 0.01 };

/** How a column's players differ from those of the training data. */
export interface ColumnDrift {
    readonly name: string;
    /** `feature`, `score` (a probability) or `segment`. */
    readonly kind: "feature" | "score" | "segment";
    /** Population stability index: 0 for equal distributions; above 0.1 is commonly taken for some change, above 0.2 for a great one. */
    readonly psi: number;
    /** Means of a number or a probability. */
    readonly mean?: { readonly before: number; readonly now: number } | undefined;
    /** Share of players, now, with a category that training has not seen, and those categories with most players first. */
    readonly unseen?: { readonly share: number; readonly texts: readonly string[] } | undefined;
    /** Share of players, now, without a value. */
    readonly missing?: number | undefined;
}

export interface DriftReport {
    readonly modelVersion: string | undefined;
    readonly players: { readonly before: number; readonly now: number };
    /** The most changed first. */
    readonly columns: readonly ColumnDrift[];
    /** Names of the columns that are above a limit; none where there are too few players to say. */
    readonly drifted: readonly string[];
    readonly tooFew: boolean;
}

/**
 * Compares counts with those of the training data: both with the bins of one model.
 * @throws StatisticsError where they were not counted alike.
 */
export function compareStatistics(before: Statistics, now: Statistics, limits: DriftLimits): DriftReport {
    const columns = [
        ...Object.entries(before.features).map(([name, counts]) => compareFeature(name, counts, now.features[name])),
        ...Object.entries(before.scores).map(([name, counts]) => compareScore(name, counts, now.scores[name])),
        { name: "segment", kind: "segment", psi: stabilityIndex(before.segments, padded(now.segments, before.segments)) } as const,
    ].sort((a, b) => b.psi - a.psi);
    const tooFew = now.players < fewestPlayers;
    return {
        modelVersion: now.modelVersion ?? before.modelVersion,
        players: { before: before.players, now: now.players },
        columns,
        drifted: tooFew ? [] : columns.filter((column) => hasDrifted(column, limits)).map(({ name }) => name),
        tooFew,
    };
}

/** Whether a column is above a limit, however few its players are. */
export function hasDrifted({ psi, unseen }: ColumnDrift, limits: DriftLimits): boolean {
    return psi > limits.psi || (unseen?.share ?? 0) > limits.unseen;
}

function compareFeature(name: string, before: NumberCounts | CategoryCounts, now: NumberCounts | CategoryCounts | undefined): ColumnDrift {
    if (before.type === "number" && now?.type === "number") {
        expectSameEdges(before, now, name);
        const psi = stabilityIndex([...before.counts, before.missing], [...now.counts, now.missing]);
        return { name, kind: "feature", psi, mean: means(before, now), missing: share(now.missing, sum(now.counts) + now.missing) };
    }
    if (before.type === "category" && now?.type === "category") {
        const texts = [...new Set([...Object.keys(before.counts), ...Object.keys(now.counts)])];
        const inBins = ({ counts, missing, ...each }: CategoryCounts) => [...texts.map((text) => counts[text] ?? 0), unseenOf(each), missing];
        const players = sum(inBins(now));
        const byPlayers = Object.entries(now.unseen).sort(([, a], [, b]) => b - a);
        return {
            name,
            kind: "feature",
            psi: stabilityIndex(inBins(before), inBins(now)),
            unseen: { share: share(unseenOf(now), players), texts: byPlayers.slice(0, 5).map(([text]) => text) },
            missing: share(now.missing, players),
        };
    }
    throw new StatisticsError(`${name} was counted as a ${before.type} before and ${now === undefined ? "not at all" : `as a ${now.type}`} now`);
}

function compareScore(name: string, before: Histogram, now: Histogram | undefined): ColumnDrift {
    expectSameEdges(before, now, name);
    return { name, kind: "score", psi: stabilityIndex(before.counts, now.counts), mean: means(before, now) };
}

/**
 * The population stability index of two counts of the same bins: the sum of (q - p) ln(q / p) over the bins' shares p before and q now. Half a player
 * more a bin, so that a bin without players gives a great number instead of none.
 */
export function stabilityIndex(before: readonly number[], now: readonly number[]): number {
    const smoothed = (counts: readonly number[]) => {
        const all = sum(counts) + counts.length / 2;
        return counts.map((count) => (count + 0.5) / all);
    };
    const p = smoothed(before);
    return sum(smoothed(now).map((q, i) => (q - (p[i] ?? q)) * Math.log(q / (p[i] ?? q))));
}

function means(before: Histogram, now: Histogram): { before: number; now: number } {
    return { before: share(before.sum, sum(before.counts)), now: share(now.sum, sum(now.counts)) };
}

function unseenOf({ unseen, unseenOthers }: Pick<CategoryCounts, "unseen" | "unseenOthers">): number {
    return sum(Object.values(unseen)) + unseenOthers;
}

function padded(counts: readonly number[], like: readonly number[]): number[] {
    if (counts.length > like.length) {
        throw new StatisticsError(`there are ${counts.length} segments now and ${like.length} before: compare one model at a time`);
    }
    return like.map((_, i) => counts[i] ?? 0);
}

function share(part: number, whole: number): number {
    return whole === 0 ? 0 : part / whole;
}

function sum(numbers: readonly number[]): number {
    return numbers.reduce((total, each) => total + each, 0);
}
