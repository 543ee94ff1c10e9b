import type { Lake } from "../clients/lake";
import { containers, predictionFileSuffix } from "../contracts";
import type { FileVersion } from "../load/ledger";

/** Folder of `predictions` that an attempt of a batch writes to: no other job has written there. Without slashes at its ends. */
export function outputPathOf(folder: string, batch: string, attempt: number): string {
    return [folder, attempt === 1 ? batch : `${batch}-${attempt}`].filter(Boolean).join("/");
}

/** The batch whose attempt writes to a folder, or undefined when it is the folder of none. */
export function batchOfOutput(outputPath: string): string | undefined {
    return /(?:^|\/)(?<batch>[0-9a-f]{16})(?:-\d+)?$/u.exec(outputPath)?.groups?.["batch"];
}

/** The files of predictions in the folder of an attempt, in their versions of now. @throws LakeError */
export async function* outputFilesOf(lake: Pick<Lake, "list">, outputPath: string): AsyncGenerator<FileVersion> {
    for await (const { path, etag } of lake.list(containers.predictions, `${outputPath}/`)) {
        if (path.endsWith(predictionFileSuffix)) {
            yield { file: path, etag };
        }
    }
}
