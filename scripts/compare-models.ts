import type { Comparison, ComparisonSide } from "../functions/predict/comparison-log";
import { mean, quantile, sorted } from "./numbers";
import { percent, textTable } from "./text-table";

/** What comparisons say of one model. */
export interface ModelSummary {
    readonly version: string;
    readonly players: number;
    /** Time of the calls that the predictions came with, in milliseconds. */
    readonly ms: { readonly median: number; readonly p95: number };
    readonly churn: ScoreSummary;
    readonly purchase: ScoreSummary;
    /** Share of the players by the name of their segment, the greatest first. */
    readonly segments: readonly (readonly [name: string, share: number])[];
}

export interface ScoreSummary {
    readonly mean: number;
    /** 10th, 50th and 90th percentile of the probabilities. */
    readonly percentiles: readonly [number, number, number];
    /** Share of the players with the label yes. */
    readonly yes: number;
}

/** What two models made of the same players. */
export interface Agreement {
    readonly players: number;
    readonly churn: LabelAgreement;
    readonly purchase: LabelAgreement;
    /** Share of the players whose segment has the same name. */
    readonly segments: number;
}

export interface LabelAgreement {
    /** Share of the players with the same label. */
    readonly same: number;
    /** Of the differences of the probabilities, challenger less live: their mean, and the mean and 99th percentile of their sizes. */
    readonly meanDifference: number;
    readonly meanSize: number;
    readonly p99Size: number;
}

export interface ModelComparison {
    readonly models: readonly ModelSummary[];
    /** Undefined where no player has both: each model answers its share. */
    readonly agreement: Agreement | undefined;
}

/** Puts the models of comparisons side by side, the live one first. */
export function compareModels(comparisons: readonly Comparison[]): ModelComparison {
    const all = [...comparisons.flatMap(({ live }) => live ?? []), ...comparisons.flatMap(({ challenger }) => challenger ?? [])];
    const sides = Map.groupBy(all, ({ version }) => version);
    return { models: [...sides].map(([version, each]) => summaryOf(version, each)), agreement: agreementOf(comparisons) };
}

function summaryOf(version: string, sides: readonly ComparisonSide[]): ModelSummary {
    const ms = sorted(sides.map((side) => side.ms));
    const names = Map.groupBy(sides, ({ segment }) => segment);
    return {
        version,
        players: sides.length,
        ms: { median: quantile(ms, 0.5), p95: quantile(ms, 0.95) },
        churn: scoreOf(sides.map(({ churn }) => churn)),
        purchase: scoreOf(sides.map(({ purchase }) => purchase)),
        segments: [...names].map(([name, each]) => [name, each.length / sides.length] as const).sort(([, a], [, b]) => b - a),
    };
}

function scoreOf(scores: readonly ComparisonSide["churn"][]): ScoreSummary {
    const probabilities = sorted(scores.map(({ probability }) => probability));
    return {
        mean: mean(probabilities),
        percentiles: [quantile(probabilities, 0.1), quantile(probabilities, 0.5), quantile(probabilities, 0.9)],
        yes: mean(scores.map(({ label }) => Number(label))),
    };
}

function agreementOf(comparisons: readonly Comparison[]): Agreement | undefined {
    const pairs = comparisons.flatMap(({ live, challenger }) => (live && challenger ? [{ live, challenger }] : []));
    if (pairs.length === 0) {
        return undefined;
    }
    const of = (label: "churn" | "purchase"): LabelAgreement => {
        const differences = pairs.map(({ live, challenger }) => challenger[label].probability - live[label].probability);
        const sizes = sorted(differences.map(Math.abs));
        return {
            same: mean(pairs.map(({ live, challenger }) => Number(live[label].label === challenger[label].label))),
            meanDifference: mean(differences),
            meanSize: mean(sizes),
            p99Size: quantile(sizes, 0.99),
        };
    };
    return {
        players: pairs.length,
        churn: of("churn"),
        purchase: of("purchase"),
        segments: mean(pairs.map(({ live, challenger }) => Number(live.segment === challenger.segment))),
    };
}

/** The comparison as a table. */
export function comparisonTable({ models, agreement }: ModelComparison): string {
    const scores = (name: string, of: (model: ModelSummary) => ScoreSummary): [string, (model: ModelSummary) => string][] => [
        [`${name} mean`, (model) => of(model).mean.toFixed(4)],
        [`${name} p10 / p50 / p90`, (model) => of(model).percentiles.map((each) => each.toFixed(4)).join(" / ")],
        [`${name} yes`, (model) => percent(of(model).yes)],
    ];
    const rows: [string, (model: ModelSummary) => string][] = [
        ["players", ({ players }) => String(players)],
        ["call ms median / p95", ({ ms }) => `${ms.median.toFixed(1)} / ${ms.p95.toFixed(1)}`],
        ...scores("churn", ({ churn }) => churn),
        ...scores("purchase", ({ purchase }) => purchase),
    ];
    const names = [...new Set(models.flatMap(({ segments }) => segments.map(([name]) => name)))];
    const cells = [
        ["model", ...models.map(({ version }) => version)],
        ...rows.map(([title, cell]) => [title, ...models.map(cell)]),
        ...names.map((name) => [name, ...models.map(({ segments }) => percent(new Map(segments).get(name) ?? 0))]),
    ];
    return [...textTable(cells), "", ...(agreement === undefined ? ["no player has a prediction of both models"] : agreementLines(agreement))].join("\n");
}

function agreementLines({ players, churn, purchase, segments }: Agreement): string[] {
    const label = (name: string, { same, meanDifference, meanSize, p99Size }: LabelAgreement) =>
        `${name}: same label for ${percent(same)}, probability ${meanDifference >= 0 ? "+" : ""}${meanDifference.toFixed(4)} in the mean, apart by ${meanSize.toFixed(4)} in the mean and ${p99Size.toFixed(4)} at the 99th percentile`;
    return [`of ${players} players with predictions of both:`, label("churn", churn), label("purchase", purchase), `segment: same name for ${percent(segments)}`];
}
