import { interleave, ratio, type Row, short, spread } from "../lib";
import type { LoadGenerator } from "./load";
import type { Parts, Server } from "./parts";
import type { Scale } from "./scale";

/** 100 and 1,000 stored players a request, one request at a time: how long one takes. */
export async function manyPlayers(parts: Parts, load: LoadGenerator, scale: Scale): Promise<Row[]> {
    const [ours, usual] = [await parts.predicting("predicting-many"), await parts.usual()];
    const rows: Row[] = [];
    for (const players of [100, 1_000]) {
        const measure = async ({ url }: Server, path: string, seconds = scale.seconds / 2): Promise<number> => {
            const { latency } = await load.run({ url, path, traffic: { kind: "many", players }, connections: 1, length: { seconds } });
            return latency.mean;
        };
        const contenders = {
            ours: () => measure(ours, "/api/predictions"),
            sequential: () => measure(usual, "/sequential"),
            pipeline: () => measure(usual, "/pipeline"),
        };
        await interleave(1, contenders);
        const results = await interleave(scale.runs, contenders);
        const row = (against: "sequential" | "pipeline", words: string, value: number): Row => ({
            id: `many-${players}-${against}`,
            work: `${players} stored players a request, times faster`,
            against: words,
            unit: "x",
            figure: ratio(results[against], results.ours),
            goal: { op: ">=", value },
            note: `${short(spread(results.ours).median)} ms : ${short(spread(results[against]).median)} ms a request`,
        });
        rows.push(row("sequential", "one GET after another", 20), row("pipeline", "one pipeline of GETs", 1.2));
    }
    await Promise.all([ours.process.stop(), usual.process.stop()]);
    return rows;
}
