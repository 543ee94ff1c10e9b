import { z } from "zod";
import { LocalCloudError } from "../resource-type";

/** The part that online and batch deployments share. */
export const codeConfiguration = z.object({ codeId: z.string(), scoringScript: z.string() });

/** Reads an ISO 8601 duration of hours, minutes and seconds (`PT90S`), in milliseconds. @throws LocalCloudError on any other text */
export function durationMs(duration: string): number {
    const groups = /^PT(?:(?<hours>\d+)H)?(?:(?<minutes>\d+)M)?(?:(?<seconds>\d+(?:\.\d+)?)S)?$/.exec(duration)?.groups;
    if (groups === undefined || duration === "PT") {
        throw new LocalCloudError(`${JSON.stringify(duration)} is not an ISO 8601 duration such as PT90S`);
    }
    return 1000 * (3600 * Number(groups.hours ?? 0) + 60 * Number(groups.minutes ?? 0) + Number(groups.seconds ?? 0));
}
