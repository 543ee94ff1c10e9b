import { interleave, ratio, type Row, short, spread } from "../lib";
import type { LoadGenerator } from "./load";
import type { LoadResult } from "./load-protocol";
import type { Parts, Server } from "./parts";
import type { Scale } from "./scale";

const connections = 50;
const path = "/api/predictions";

/** One stored player a request, through the local host and behind plain `node:http`. */
export async function onePlayer(parts: Parts, load: LoadGenerator, scale: Scale): Promise<Row[]> {
    const servers = {
        ours: await parts.host("host-ours"),
        tier: await parts.host("host-tier", { HOT_PLAYERS: "10000" }),
        bare: await parts.barePackage(),
        plain: await parts.predicting("predicting"),
        plainBare: await parts.usual(),
    } satisfies Record<string, Server>;
    const measure = ({ url }: Server, seconds = scale.seconds) => load.run({ url, path, traffic: { kind: "one" }, connections, length: { seconds } });
    for (const server of Object.values(servers)) {
        await measure(server, Math.min(scale.seconds, 2));
    }
    const results = await interleave(scale.runs, {
        ours: () => measure(servers.ours),
        bare: () => measure(servers.bare),
        tier: () => measure(servers.tier),
    });
    const plain = await interleave(scale.runs, { ours: () => measure(servers.plain), bare: () => measure(servers.plainBare) });
    await Promise.all(Object.values(servers).map((server) => server.process.stop()));

    const bare = "bare handler in the same host: one Redis GET, its text returned";
    const plainBare = "bare node:http + ioredis GET, autopipelining";
    return [
        row("one-host-rate", "one stored player through the host, requests/s", bare, rates, results.ours, results.bare, ">=", 0.9),
        row("one-host-p99", "the same, p99", bare, p99s, results.ours, results.bare, "<=", 1.2),
        row("one-tier-rate", "the same with the in-process tier, requests/s", bare, rates, results.tier, results.bare, ">=", 1.2),
        row("one-tier-p99", "the same with the in-process tier, p99", bare, p99s, results.tier, results.bare, "<=", 1.2),
        row("one-plain-rate", "the predicting function behind plain node:http, requests/s", plainBare, rates, plain.ours, plain.bare, ">=", 0.85),
        row("one-plain-p99", "the same, p99", plainBare, p99s, plain.ours, plain.bare),
    ];
}

type Measure = { readonly of: (result: LoadResult) => number; readonly unit: string };
const rates: Measure = { of: (result) => result.requestsPerSecond, unit: "/s" };
const p99s: Measure = { of: (result) => result.latency.p99, unit: " ms" };

/** A ratio of two contenders, with the absolute medians and how busy the generator was beside it. */
function row(
    id: string,
    work: string,
    against: string,
    measure: Measure,
    ours: readonly LoadResult[],
    theirs: readonly LoadResult[],
    op?: ">=" | "<=",
    value = 0,
): Row {
    const [mine, others] = [ours.map(measure.of), theirs.map(measure.of)];
    const busy = Math.round(100 * spread([...ours, ...theirs].map((result) => result.generatorLoad)).median);
    return {
        id,
        work,
        against,
        unit: "x",
        figure: ratio(mine, others),
        ...(op === undefined ? {} : { goal: { op, value } }),
        note: `${short(spread(mine).median)}${measure.unit} : ${short(spread(others).median)}${measure.unit}; generator ${busy} % of a core`,
    };
}
