import type { BatchState } from "../batches/state";
import type { Lake } from "../clients/lake";
import { containers, statisticsFolder, trainingStatisticsFile } from "../contracts";
import { holdsCounts, readStatistics, type Statistics, sumStatistics } from "./statistics";

/** Files of counts that are read at a time. */
const readsAtATime = 16;

/** What a batch job counted. */
export interface JobCounts {
    /** Of the training of the model that scored. */
    readonly training: Statistics;
    readonly players: Statistics;
}

/**
 * The counts beside a job's predictions, those of all its files summed up. The training's come with each job, and so are always those of the
 * very model that scored, whatever is deployed meanwhile.
 *
 * @returns undefined where there are none: another scoring script than `ml/batch_score.py` was at work
 * @throws StatisticsError naming the file that is wrong, LakeError
 */
export async function readJobCounts(lake: Pick<Lake, "list" | "readText">, { outputPath }: Pick<BatchState, "outputPath">): Promise<JobCounts | undefined> {
    const folder = `${outputPath}/${statisticsFolder}/`;
    const read = async (path: string): Promise<Statistics[]> => {
        const found = await lake.readText(containers.predictions, path);
        return found === undefined ? [] : [readStatistics(found.text, `${containers.predictions}/${path}`)];
    };
    const [training] = await read(`${folder}${trainingStatisticsFile}`);
    const paths: string[] = [];
    for await (const { path } of lake.list(containers.predictions, folder)) {
        if (holdsCounts(path)) {
            paths.push(path);
        }
    }
    let players: Statistics | undefined;
    // In order, so that sums of fractions come out the same each time; some at a time, as a job may have thousands.
    for (let from = 0; from < paths.length; from += readsAtATime) {
        const some = paths.slice(from, from + readsAtATime);
        const counted = (await Promise.all(some.map(read))).flat();
        if (counted.length > 0) {
            players = players ? sumStatistics([players, ...counted], [folder, ...some]) : sumStatistics(counted, some);
        }
    }
    return training && players && { training, players };
}
