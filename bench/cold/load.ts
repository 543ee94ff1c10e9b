import { ensureSystemPackages } from "../../local/parts/system";
import { interleave, ratio, type Row, short, spread } from "../lib";
import { LoadParts } from "./load-parts";
import { rowByRow } from "./row-by-row";
import type { Section } from "./section";

/** Predictions into MySQL, exactly once, all players there already. */
export const load: Section = async ({ quick }) => {
    const players = quick ? 20_000 : 1_000_000;
    const singlePlayers = quick ? 2_000 : 50_000;
    await ensureSystemPackages(["mariadb-server", "redis-server"]);
    const parts = await LoadParts.start();
    try {
        await parts.load(await parts.file(players));
        const { handler, cached, client, single } = await interleave(quick ? 1 : 3, {
            handler: async () => (await parts.load(await parts.file(players))).seconds,
            cached: async () => (await parts.load(await parts.file(players), { cached: true })).seconds,
            client: async () => parts.clientReplace(await parts.file(players)),
            single: async () => rowByRow(parts.connection, singlePlayers),
        });
        // A tenth of the first are there already, all of the second.
        const tenfold = 10 * players;
        const added = await parts.load(await parts.file(tenfold));
        const replaced = await repeated(quick ? 1 : 3, async () => parts.load(await parts.file(tenfold)));
        const rate = ({ rows, seconds }: { readonly rows: number; readonly seconds: number }): number => rows / seconds;
        const usualRate = rate({ rows: players, seconds: spread(handler).median });
        const singleScaled = single.map((each) => (each * players) / singlePlayers);
        const refresh = spread(cached).median - spread(handler).median;
        const median = (values: readonly number[]): string => `${short(spread(values).median)} s`;
        return [
            {
                id: "load",
                work: `${players.toLocaleString("en-US")} predictions into MySQL, all players there already, times as fast`,
                against: "LOAD DATA LOCAL ... REPLACE by the command-line client",
                unit: "x",
                figure: ratio(client, handler),
                goal: { op: ">=", value: 0.5 },
                note: `${median(handler)} : ${median(client)}`,
            },
            {
                id: "load-row-by-row",
                work: "the same, times as fast",
                against: `row-by-row INSERT in one transaction (${singlePlayers.toLocaleString("en-US")} rows, scaled)`,
                unit: "x",
                figure: ratio(singleScaled, handler),
                goal: { op: ">=", value: 20 },
                note: `${median(handler)} : ${median(singleScaled)}`,
            },
            {
                id: "load-cached",
                work: "the same and then into Redis, as the handler does, times as fast",
                against: "MySQL alone",
                unit: "x",
                figure: ratio(handler, cached),
                note: `${median(cached)} : ${median(handler)}; ${short(players / refresh)} players/s into Redis`,
            },
            {
                id: "load-tenfold",
                work: `${tenfold.toLocaleString("en-US")} predictions, all players there already, rows/s`,
                against: `${players.toLocaleString("en-US")} predictions, all players there already, rows/s`,
                unit: "x",
                figure: spread(replaced.map((reply) => rate(reply) / usualRate)),
                goal: { op: ">=", value: 0.85 },
                note: `${short(spread(replaced.map(rate)).median)}/s : ${short(usualRate)}/s; ${short(rate(added))}/s where nine tenths of the players were new`,
            },
            {
                id: "load-rss",
                work: "the same: highest RSS of the process that loads",
                unit: "MB",
                figure: spread(replaced.map(({ maxRss }) => maxRss / 1e6)),
                goal: { op: "<=", value: 200 },
                note: "with the heap of an instance of 512 MB; from its start, all loads before among it",
            },
        ] satisfies Row[];
    } finally {
        await parts.stop();
    }
};

/** One after the other: each is to have the machine for itself. */
async function repeated<T>(times: number, work: () => Promise<T>): Promise<T[]> {
    const results: T[] = [];
    for (let time = 0; time < times; time += 1) {
        results.push(await work());
    }
    return results;
}
