import { outputFilesOf } from "../batches/output";
import { changeBatch, type StoredBatch } from "../batches/state";
import { containers, queues as queueNames } from "../contracts";
import { blobCreatedMessage } from "../events/blob-created";
import type { FileVersion } from "../load/ledger";
import { logStep, type ReconcileParts } from "./parts";

/** Files that the ledger is asked for at a time. */
const filesAtATime = 500;

/**
 * Queues the files of a job that has ended which the ledger does not have: their own events were lost, or the loads failed. Those that
 * are being loaded are queued, too: a load of the same file twice is one.
 *
 * @throws LakeError, DatabaseError
 */
export async function queueMissing(batch: StoredBatch, parts: ReconcileParts): Promise<StoredBatch | undefined> {
    const { lake, queues, ledger, now } = parts;
    const { state } = batch;
    const url = lake.containerUrl(containers.predictions);
    const loaded = { files: 0, rows: 0, asked: state.loaded?.asked ?? 0 };
    let missing = 0;
    let outputFiles = 0;
    const check = async (files: readonly FileVersion[]): Promise<void> => {
        const rows = await ledger.rowsOf(files);
        for (const version of files) {
            const count = rows.get(version.file);
            if (count === undefined) {
                missing += 1;
                const blob = { container: containers.predictions, path: version.file, etag: version.etag };
                await queues.send(queueNames.predictionsReady, blobCreatedMessage(blob, url, now()));
            } else {
                loaded.files += 1;
                loaded.rows += count;
            }
        }
        outputFiles += files.length;
    };
    let files: FileVersion[] = [];
    for await (const version of outputFilesOf(lake, state.outputPath)) {
        if (files.push(version) === filesAtATime) {
            await check(files);
            files = [];
        }
    }
    await check(files);
    if (missing > 0) {
        loaded.asked += 1;
        logStep(parts, "queued", { batch: state.batch, folder: state.folder, files: missing, of: outputFiles, time: loaded.asked });
    }
    return changeBatch(parts, batch, { outputFiles, loaded });
}
