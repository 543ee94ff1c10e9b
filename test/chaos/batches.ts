import type { Deliveries } from "./deliveries";
import { logOf } from "./players";
import type { World } from "./world";

/**
 * Completes a folder of two files, the second with a row that is no prediction: three players in all.
 *
 * @param scoredAt of the players: another time is another version of the folder
 */
export async function completeFolder(world: World, folder: string, scoredAt = "2026-01-31T12:00:00.000Z"): Promise<void> {
    const log = (ids: readonly string[]) => logOf(ids.map((id) => ({ playerId: `${id} of ${folder}`, scoredAt })));
    const files = { "part-0.csv": log(["1", "한국 플레이어"]), "part-1.csv": `${log(["2"])}bad row\n`, _SUCCESS: "" };
    for (const [name, text] of Object.entries(files)) {
        await world.container("logs").getBlockBlobClient(`${folder}/${name}`).upload(text, Buffer.byteLength(text));
    }
}

/**
 * What the stores hold once nothing is left to do, without what is named by the moment: batches, their jobs and their folders of output.
 *
 * @param attempts whether two jobs of a batch are told from one; their files are the same
 */
export async function leftAtLast(world: World, deliveries: Deliveries, attempts: boolean): Promise<object> {
    await deliveries.untilQuiet();
    const { batches, loads, predictions, ...others } = await world.stores.snapshot();
    const placed = (path: string) => path.replace(/\/[0-9a-f]{16}(-\d+)?\//u, (_, attempt = "") => `/batch${attempts ? attempt : ""}/`);
    const inOrder = (values: readonly object[]) => [...new Set(values.map((value) => JSON.stringify(value)))].sort();
    return {
        ...others,
        loads: inOrder(loads.map((load) => ({ ...load, file: placed((load as { file: string }).file) }))),
        predictions: Object.fromEntries(Object.entries(predictions).map(([path, blob]) => [placed(path), blob])),
        batches: batches
            .map(({ folder, status, jobStatus, reason, attempt, failedJobs, files, rows, outputPath, outputFiles, loaded }) => ({
                ...{ folder, status, jobStatus, reason, failedJobs, files, rows, outputFiles },
                ...(attempts && { attempt }),
                outputPath: placed(`${outputPath}/`),
                loaded: { files: loaded?.files, rows: loaded?.rows },
            }))
            .sort((a, b) => (a.folder < b.folder ? -1 : 1)),
    };
}
