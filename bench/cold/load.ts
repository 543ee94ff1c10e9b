import { ensureSystemPackages } from "../../local/parts/system";
import { interleave, ratio, type Row, short, spread } from "../lib";
import { LoadParts } from "./load-parts";
import { rowByRow } from "./row-by-row";
import type { Section } from "./section";

/** Predictions into MySQL, exactly once, all players there already. */
export const load: Section = async ({ quick }) => {
    const players = quick ? 20_000 : 1_000_000;
    const singlePlayers = quick ? 2_000 : 50_000;
    await ensureSystemPackages(["mariadb-server"]);
    const parts = await LoadParts.start();
    try {
        await parts.load(await parts.file(players));
        const { handler, client, single } = await interleave(quick ? 1 : 3, {
            handler: async () => (await parts.load(await parts.file(players))).seconds,
            client: async () => parts.clientReplace(await parts.file(players)),
            single: async () => rowByRow(parts.connection, singlePlayers),
        });
        const singleScaled = single.map((each) => (each * players) / singlePlayers);
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
        ] satisfies Row[];
    } finally {
        await parts.stop();
    }
};
