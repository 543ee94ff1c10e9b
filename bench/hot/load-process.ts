import autocannon from "autocannon";
import { playerFeatures } from "../../test/functions/hot/predictions";
import type { Load, LoadReply, LoadResult, Traffic } from "./load-protocol";
import { functionKey, storedKey, storedPlayers } from "./names";

/** The load generator's process: takes loads one after another and sends back what came of each. */
process.on("message", (load: Load) => {
    run(load).then(
        (result) => reply({ result }),
        (error: unknown) => reply({ error: String(error) }),
    );
});
process.on("disconnect", () => process.exit());

function reply(message: LoadReply): void {
    process.send?.(message);
}

async function run(load: Load): Promise<LoadResult> {
    const requests = requestsOf(load.traffic, load.path);
    const latencies: number[] = [];
    const statuses: Record<string, number> = {};
    const busyBefore = process.cpuUsage();
    const startedAt = performance.now();
    let endedAt = startedAt;
    const { length } = load;
    await new Promise<void>((resolve, reject) => {
        const instance = autocannon(
            {
                url: load.url,
                connections: load.connections,
                ...("seconds" in length ? { duration: length.seconds } : { amount: length.requests }),
                setupClient: (client) => client.setRequests(requests()),
            },
            (error: unknown) => (error instanceof Error ? reject(error) : resolve()),
        );
        instance.on("response", (_client, status, _bytes, milliseconds) => {
            latencies.push(milliseconds);
            statuses[status] = (statuses[status] ?? 0) + 1;
            endedAt = performance.now();
        });
        instance.on("reqError", () => (statuses[0] = (statuses[0] ?? 0) + 1));
    });
    const { user, system } = process.cpuUsage(busyBefore);
    latencies.sort((a, b) => a - b);
    const at = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? NaN;
    return {
        requestsPerSecond: (1000 * latencies.length) / (endedAt - startedAt),
        latency: { mean: latencies.reduce((sum, one) => sum + one, 0) / latencies.length, p50: at(0.5), p99: at(0.99) },
        statuses,
        generatorLoad: (user + system) / 1000 / (performance.now() - startedAt),
    };
}

/** @returns what makes the requests of one connection */
function requestsOf(traffic: Traffic, path: string): () => autocannon.Request[] {
    const get = (playerId: string): autocannon.Request => ({ method: "GET", path: `${path}/${playerId}`, headers: key });
    const post = (body: unknown): autocannon.Request => ({ method: "POST", path, headers: json, body: JSON.stringify(body) });
    switch (traffic.kind) {
        case "one":
            return () => shuffled().map((i) => get(storedKey(i)));
        case "many":
            return () => {
                const order = shuffled();
                const ids = (first: number): string[] =>
                    Array.from({ length: traffic.players }, (_, i) => storedKey(order[(first + i) % storedPlayers] as number));
                return [0, 100, 200, 300].map((first) => post({ players: ids(first).map((playerId) => ({ playerId })) }));
            };
        case "same": {
            const request = post({ players: [{ playerId: traffic.playerId, features: playerFeatures() }] });
            return () => [request];
        }
        case "new":
            return () => [changing(post({}), () => post(newPlayer(traffic.prefix)))];
        case "mixed": {
            const stored = Array.from({ length: storedPlayers }, (_, i) => get(storedKey(i)));
            const tens = Array.from({ length: 100 }, (_, i) =>
                post({ players: Array.from({ length: 10 }, (__, j) => ({ playerId: storedKey(10 * i + j) })) }),
            );
            const any = <T>(of: readonly T[]): T => of[Math.floor(Math.random() * of.length)] as T;
            return () => [
                changing(post({}), () => {
                    const dice = Math.random();
                    if (dice < 0.7) {
                        return any(stored);
                    }
                    if (dice < 0.85) {
                        return any(tens);
                    }
                    if (dice < 0.99) {
                        return post(newPlayer(traffic.prefix));
                    }
                    return dice < 0.995 ? post(newPlayer("fault")) : { ...post({}), body: '{"players":[' };
                }),
            ];
        }
    }
}

const key = { "x-functions-key": functionKey };
const json = { ...key, "content-type": "application/json" };
let players = 0;

function newPlayer(prefix: string): unknown {
    players += 1;
    return { players: [{ playerId: `${prefix}-${players}`, features: playerFeatures({ age: 18 + (players % 60) }) }] };
}

function changing(first: autocannon.Request, next: () => autocannon.Request): autocannon.Request {
    return { ...first, setupRequest: (request) => ({ ...request, ...next() }) };
}

function shuffled(): number[] {
    const order = Array.from({ length: storedPlayers }, (_, i) => i);
    for (let i = order.length - 1; i > 0; i -= 1) {
        const j = Math.floor(Math.random() * (i + 1));
        [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
    return order;
}
