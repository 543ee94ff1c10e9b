import { profiles } from "../../infra/settings";
import { assumed, type Figure, limits, measured, redisSizes } from "./figures";
import { boundsOf, type Demand, demandOf, firstToBreak, reachedAt } from "./rules";

/** Players a day. */
const sizes = [1e6, 1e7, 1e8] as const;

/** The document's tables, by the names of their marks. */
export function scaleTables(): Readonly<Record<"demand" | "first" | "bounds" | "figures", string>> {
    return { demand: demandTable(), first: firstTable(), bounds: boundsTable(), figures: figuresTable() };
}

/** Each line with the rule that its figures follow. */
function demandTable(): string {
    const demands = sizes.map((players) => demandOf(players, profiles.prod));
    const line = (what: string, rule: string, shown: (demand: Demand) => string): string[] => [what, ...demands.map(shown), rule];
    return markdown(
        ["a day", ...sizes.map((players) => `${million(players)} players`), "rule"],
        [
            line("objects", "players / players an object", ({ objects }) => count(objects)),
            line("logs", "players x bytes of CSV", ({ logBytes }) => bytes(logBytes)),
            line("predictions", "players x bytes of predictions", ({ predictionBytes }) => bytes(predictionBytes)),
            line("copy, if all goes through the process", "MiB and objects, each by what a core does, x cores of an instance", ({ copySeconds }) => time(copySeconds)),
            line("batch nodes", "objects / workers of a node, at most `batchMaxNodes`", ({ batchNodes }) => count(batchNodes)),
            line("batch", "start of a node + rounds of objects over all workers x players an object / players a core", ({ batchSeconds }) => time(batchSeconds)),
            line("node hours", "nodes x time of the batch", ({ nodeHours }) => hours(nodeHours)),
            line("load into MySQL", "players / rows a second of one database, however many load", ({ loadSeconds }) => time(loadSeconds)),
            line("Redis after the last commit", "players an object / players a second into Redis, as fast as the database at least", ({ cacheSeconds }) => time(cacheSeconds)),
            line("instances that load", "objects / 6 at a time in each, at most `functionMaxInstances`", ({ loadInstances }) => count(loadInstances)),
            line("Redis memory", "players x bytes of Redis", ({ redisBytes }) => bytes(redisBytes)),
            line("`redisSku`", `smallest that holds it in ${100 * limits.redisUsable.value} % of its size`, ({ redisSku }) => redisSku ?? "none"),
            line("MySQL table", "players x bytes of a row", ({ databaseBytes }) => bytes(databaseBytes)),
            line("MySQL writes during the load", "rows a second x bytes of a row x 3", ({ databaseWrite }) => `${bytes(databaseWrite)}/s`),
            line("requests in the busiest hour", "players x requests a player x share of that hour / 3,600", ({ requests }) => `${count(requests)}/s`),
            line("instances that answer", "requests / (requests a core x cores x share of its time)", ({ httpInstances }) => count(httpInstances)),
            line("players that the model is asked for", "requests x share of misses", ({ misses }) => `${count(misses)}/s`),
        ],
    );
}

function firstTable(): string {
    const rows = sizes.flatMap((players) =>
        Object.entries(profiles).map(([name, profile]) => {
            const { bound, use } = firstToBreak(players, profile);
            return [million(players), `\`${name}\``, use > 1 ? "**breaks**" : "holds", `${bound.what}: ${Math.round(100 * use)} %`, bound.moves];
        }),
    );
    return markdown(["players a day", "profile", "", "most used", "what moves it"], rows);
}

/** In the order in which `prod` reaches them. */
function boundsTable(): string {
    const dev = boundsOf(profiles.dev);
    const bounds = boundsOf(profiles.prod).map(({ what, moves, ...rest }, i) => ({
        what: what.replace(`, ${profiles.prod.redisSku}`, ""),
        moves,
        dev: reachedAt(dev[i] as (typeof dev)[number], profiles.dev),
        prod: reachedAt({ what, moves, ...rest }, profiles.prod),
    }));
    const shown = (players: number | undefined): string => (players === undefined ? "not" : million(players));
    const rows = bounds
        .toSorted((one, other) => (one.prod ?? Infinity) - (other.prod ?? Infinity))
        .map(({ what, moves, ...reached }) => [what, shown(reached.dev), shown(reached.prod), moves]);
    return markdown(["limit", "reached by `dev`, players a day", "by `prod`", "what moves it"], rows);
}

function figuresTable(): string {
    const rows = (kind: string, figures: Readonly<Record<string, Figure>>): string[][] =>
        Object.values(figures).map(({ value, unit, source }) => [kind, value.toLocaleString("en-US"), unit, source]);
    const redis = Object.entries(redisSizes).map(([sku, size]) => `${sku} ${size}`).join(", ");
    return [
        markdown(["", "figure", "unit", "from"], [...rows("measured", measured), ...rows("assumed", assumed), ...rows("limit", limits)]),
        "",
        `GB of \`redisSku\`: ${redis}.`,
    ].join("\n");
}

function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
    const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
    return [line(header), `|${"---|".repeat(header.length)}`, ...rows.map(line)].join("\n");
}

function million(players: number): string {
    return players < 1e6 ? `${Number((players / 1e3).toPrecision(2))} thousand` : `${Number((players / 1e6).toPrecision(2)).toLocaleString("en-US")} million`;
}

function count(value: number): string {
    return Math.ceil(value).toLocaleString("en-US");
}

function bytes(value: number): string {
    return value >= 1e9 ? `${Number((value / 1e9).toPrecision(3))} GB` : `${Number((value / 1e6).toPrecision(3))} MB`;
}

function time(seconds: number): string {
    return seconds < 120 ? `${Number(seconds.toPrecision(2))} s` : `${Math.round(seconds / 60)} min`;
}

function hours(value: number): string {
    return String(Number(value.toPrecision(2)));
}
