import { findBinary } from "../../local/parts/system";
import { run, tail } from "../../local/parts/run";
import type { Bucket } from "./ingest-protocol";

/** How rclone is called: as it is, and as one who knows it would here. */
export const rcloneWays = {
    default: [],
    tuned: ["--transfers=32", "--checkers=64", "--fast-list", "--checksum", "--s3-no-head-object", "--azureblob-chunk-size=8Mi", "--azureblob-upload-concurrency=32"],
} as const;

export type RcloneWay = keyof typeof rcloneWays;

/** Where it copies to. */
export interface RcloneLake {
    /** Blob endpoint with a signature of the account. */
    readonly sasUrl: string;
    readonly certFile: string;
}

/** Makes the container what the bucket is, by `rclone sync`. @returns seconds, the program's start included */
export async function rcloneSync(lake: RcloneLake, way: RcloneWay, bucket: Bucket, container: string): Promise<number> {
    // The remotes `source` and `lake`: no file of the user's has a say.
    const env = {
        RCLONE_CONFIG: "",
        // rclone refuses one beside its own option.
        AWS_CA_BUNDLE: "",
        RCLONE_CONFIG_SOURCE_TYPE: "s3",
        RCLONE_CONFIG_SOURCE_PROVIDER: "Other",
        // As it lists AWS itself.
        RCLONE_CONFIG_SOURCE_LIST_VERSION: "2",
        RCLONE_CONFIG_SOURCE_ENDPOINT: bucket.s3,
        RCLONE_CONFIG_SOURCE_ACCESS_KEY_ID: "studio",
        RCLONE_CONFIG_SOURCE_SECRET_ACCESS_KEY: "studio",
        RCLONE_CONFIG_LAKE_TYPE: "azureblob",
        RCLONE_CONFIG_LAKE_SAS_URL: lake.sasUrl,
    };
    const startedAt = performance.now();
    const args = ["sync", `source:${bucket.name}`, `lake:${container}`, `--ca-cert=${lake.certFile}`, ...rcloneWays[way]];
    const { exitCode, output } = await run(findBinary("rclone"), args, { env });
    if (exitCode !== 0) {
        throw new Error(`rclone sync ended with ${exitCode ?? "a signal"}: ${tail(output)}`);
    }
    return (performance.now() - startedAt) / 1_000;
}
