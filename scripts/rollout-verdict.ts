import { ModelAnswerError } from "../functions/clients/online-endpoint-protocol";
import { stabilityIndex } from "../functions/drift/compare";
import { type Comparison, sideOf } from "../functions/predict/comparison-log";
import type { Prediction } from "../functions/prediction";
import { mean, quantile, sorted } from "./numbers";
import type { Exchange, Reply } from "./rollout-replay";
import { percent, textTable } from "./text-table";

/** How far a candidate may be from the model in service. */
export interface Limits {
    /** Most players, as a share, whose label is another one. */
    readonly labels: number;
    /** Greatest population stability index of a label's probabilities. */
    readonly psi: number;
    /** How many times as long its calls may take. */
    readonly slower: number;
}

/** One line of the verdict: a figure of both, and what the candidate must reach. */
export interface Check {
    readonly what: string;
    readonly live: string;
    readonly candidate: string;
    readonly expected: string;
    /** Why it is refused; undefined where it passes. */
    readonly refusal?: string | undefined;
}

export interface Named {
    readonly deployment: string;
    readonly modelVersion: string;
}

/** Nobody notices a difference of so many milliseconds. */
const unnoticedMs = 20;
const bins = 10;

/** Judges a candidate by what it and the model in service said to the same requests. */
export function judge(exchanges: readonly Exchange[], live: Named, candidate: Named, limits: Limits): Check[] {
    const pairs = pairsOf(exchanges);
    return [
        faultCheck("requests without an answer", exchanges, (fault) => !(fault instanceof ModelAnswerError)),
        faultCheck("answers that are wrong", exchanges, (fault) => fault instanceof ModelAnswerError),
        refusalCheck(exchanges),
        versionCheck(exchanges, live, candidate),
        comparedCheck(exchanges, pairs.length),
        ...(pairs.length === 0 ? [] : [...scoreChecks("churn", pairs, limits), ...scoreChecks("purchase", pairs, limits)]),
        ...timeChecks(exchanges, limits),
    ];
}

/** What both said of each player, as two models beside each other, each under the name of its deployment. */
export function comparisonsOf(exchanges: readonly Exchange[], live: Named, candidate: Named): Comparison[] {
    return exchanges.flatMap((exchange) =>
        pairsOf([exchange]).map((pair) => ({
            at: pair.live.scoredAt,
            playerId: pair.live.playerId,
            live: { ...sideOf(pair.live, exchange.live.ms), version: live.deployment },
            challenger: { ...sideOf(pair.candidate, exchange.candidate.ms), version: candidate.deployment },
        })),
    );
}

/** The checks as a table, those that refuse marked by a star and followed by their reasons. */
export function verdictTable(checks: readonly Check[]): string {
    const rows = checks.map(({ what, live, candidate, expected, refusal }) => [`${refusal === undefined ? "  " : "* "}${what}`, live, candidate, expected, refusal ?? ""]);
    return textTable([["  check", "in service", "candidate", "expected of the candidate", "refused because"], ...rows]).join("\n");
}

interface Pair {
    readonly live: Prediction;
    readonly candidate: Prediction;
}

/** The players whom both predicted. */
function pairsOf(exchanges: readonly Exchange[]): Pair[] {
    return exchanges.flatMap(({ live, candidate }) => {
        const theirs = new Map(predictionsOf(candidate).map((prediction) => [prediction.playerId, prediction]));
        return predictionsOf(live).flatMap((prediction) => {
            const other = theirs.get(prediction.playerId);
            return other === undefined ? [] : [{ live: prediction, candidate: other }];
        });
    });
}

function predictionsOf(reply: Reply): readonly Prediction[] {
    return "answer" in reply ? reply.answer.predictions : [];
}

/** Calls that failed in one way; the candidate may fail where the model in service does. */
function faultCheck(what: string, exchanges: readonly Exchange[], isOfKind: (fault: Error) => boolean): Check {
    const fault = (reply: Reply): Error | undefined => ("fault" in reply && isOfKind(reply.fault) ? reply.fault : undefined);
    const count = (side: "live" | "candidate") => `${exchanges.filter((exchange) => fault(exchange[side]) !== undefined).length} of ${exchanges.length}`;
    const [first, ...others] = exchanges.flatMap(({ live, candidate }) => ("answer" in live ? (fault(candidate)?.message ?? []) : []));
    return {
        what,
        live: count("live"),
        candidate: count("candidate"),
        expected: "none that the other answers",
        refusal: first === undefined ? undefined : `${others.length + 1} that the other answers, the first: ${first}`,
    };
}

function refusalCheck(exchanges: readonly Exchange[]): Check {
    const refusals = (reply: Reply) => ("answer" in reply ? reply.answer.errors : []);
    const count = (side: "live" | "candidate") => String(exchanges.reduce((sum, exchange) => sum + refusals(exchange[side]).length, 0));
    const [first, ...others] = exchanges.flatMap(({ live, candidate }) => {
        const predicted = new Set(predictionsOf(live).map(({ playerId }) => playerId));
        return refusals(candidate).flatMap(({ playerId, message }) => (predicted.has(playerId) ? [message] : []));
    });
    return {
        what: "players refused",
        live: count("live"),
        candidate: count("candidate"),
        expected: "none that the other predicts",
        refusal: first === undefined ? undefined : `${others.length + 1} that the other predicts, the first: ${first}`,
    };
}

function versionCheck(exchanges: readonly Exchange[], live: Named, candidate: Named): Check {
    const versions = (side: "live" | "candidate") => [...new Set(exchanges.flatMap((exchange) => predictionsOf(exchange[side]).map(({ modelVersion }) => modelVersion)))];
    const wrong = versions("candidate").filter((version) => version !== candidate.modelVersion);
    const shown = (side: "live" | "candidate", { modelVersion }: Named) => versions(side).join(", ") || `none of ${modelVersion}`;
    return {
        what: "model version",
        live: shown("live", live),
        candidate: shown("candidate", candidate),
        expected: candidate.modelVersion,
        refusal: wrong.length === 0 ? undefined : `${candidate.deployment} answers as ${wrong.join(", ")}`,
    };
}

function comparedCheck(exchanges: readonly Exchange[], compared: number): Check {
    const predicted = (side: "live" | "candidate") => String(exchanges.reduce((sum, exchange) => sum + predictionsOf(exchange[side]).length, 0));
    return {
        what: "players predicted",
        live: predicted("live"),
        candidate: predicted("candidate"),
        expected: "some that both predict",
        refusal: compared === 0 ? "there is nobody to compare" : undefined,
    };
}

function scoreChecks(label: "churn" | "purchase", pairs: readonly Pair[], limits: Limits): Check[] {
    const yes = (side: keyof Pair) => percent(mean(pairs.map((pair) => Number(pair[side][label].label))));
    const changed = mean(pairs.map(({ live, candidate }) => Number(live[label].label !== candidate[label].label)));
    const probabilities = (side: keyof Pair) => pairs.map((pair) => pair[side][label].probability);
    const psi = shift(probabilities("live"), probabilities("candidate"));
    return [
        {
            what: `${label} label yes`,
            live: yes("live"),
            candidate: yes("candidate"),
            expected: `another for at most ${percent(limits.labels)}`,
            refusal: changed > limits.labels ? `another for ${percent(changed)} of the players` : undefined,
        },
        {
            what: `${label} probability, mean`,
            live: mean(probabilities("live")).toFixed(4),
            candidate: mean(probabilities("candidate")).toFixed(4),
            expected: `PSI of at most ${limits.psi}`,
            refusal: psi > limits.psi ? `PSI is ${psi.toFixed(4)}` : undefined,
        },
    ];
}

/** The population stability index over tenths of the probabilities of before. */
function shift(before: readonly number[], now: readonly number[]): number {
    const ascending = sorted(before);
    const edges = [...new Set(Array.from({ length: bins - 1 }, (_, i) => quantile(ascending, (i + 1) / bins)))];
    const counts = (probabilities: readonly number[]) => {
        const each = Array.from({ length: edges.length + 1 }, () => 0);
        for (const probability of probabilities) {
            const bin = edges.filter((edge) => probability > edge).length;
            each[bin] = (each[bin] ?? 0) + 1;
        }
        return each;
    };
    return stabilityIndex(counts(before), counts(now));
}

/** Of the calls that were answered. */
function timeChecks(exchanges: readonly Exchange[], { slower }: Limits): Check[] {
    const times = (side: "live" | "candidate") => sorted(exchanges.flatMap(({ [side]: reply }) => ("answer" in reply ? [reply.ms] : [])));
    const [live, candidate] = [times("live"), times("candidate")];
    return [0.5, 0.99].map((q) => {
        const [theirs, own] = [quantile(live, q), quantile(candidate, q)];
        const most = slower * theirs + unnoticedMs;
        return {
            what: `call ms p${100 * q}`,
            live: theirs.toFixed(1),
            candidate: own.toFixed(1),
            expected: `at most ${slower} times the other's and ${unnoticedMs} ms`,
            refusal: own > most ? `above ${most.toFixed(1)}` : undefined,
        };
    });
}
