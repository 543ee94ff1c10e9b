import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { PulumiCommand } from "@pulumi/pulumi/automation";

/** The Pulumi CLI is not on this machine; the message says how to get it. */
export class PulumiCliError extends Error {
    override readonly name = "PulumiCliError";
}

/** Where `scripts/pulumi-cli.sh` puts the CLI, below the user's cache folder. */
const built = path.join("player-predictions", "pulumi-3.274.1");

/** The Pulumi CLI: that of the PATH, else the one that the project's script has built. @throws PulumiCliError */
export async function findPulumi(env: NodeJS.ProcessEnv = process.env): Promise<PulumiCommand> {
    const roots = (env.PATH ?? "").split(path.delimiter).map((dir) => path.dirname(dir));
    const cache = env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache");
    const root = [...roots, path.join(cache, built)].find((each) => existsSync(path.join(each, "bin", "pulumi")));
    if (root === undefined) {
        throw new PulumiCliError("the Pulumi CLI is missing: build it with scripts/pulumi-cli.sh (needs Go, about five minutes), or put one of version 3.274 on the PATH");
    }
    return await PulumiCommand.get({ root });
}
