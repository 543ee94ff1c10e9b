import { build } from "esbuild";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import getPort from "get-port";
import { prepareHost } from "../../local/host";
import { projectDir } from "../../local/parts/paths";
import { interleave, ratio, type Row, short, spread } from "../lib";
import { functionKey, storedKey } from "./names";
import type { Parts } from "./parts";
import type { Scale } from "./scale";

/** From the start of the host's process to its first answer of a stored player, everything else being up. */
export async function coldStart(parts: Parts, scale: Scale): Promise<Row[]> {
    const unbundled = await unbundledPackage(parts);
    const sources = sourcesPackage(parts);
    const empty = await parts.fixturePackage("empty-package");
    const contenders = {
        bundle: () => start(parts, parts.packageDir),
        unbundled: () => start(parts, unbundled),
        sources: () => start(parts, sources),
        empty: () => start(parts, empty),
    };
    await interleave(1, contenders);
    const results = await interleave(scale.runs, contenders);
    const medians = { bundle: spread(results.bundle).median, empty: spread(results.empty).median };
    const against = (contender: "unbundled" | "sources"): Pick<Row, "unit" | "figure" | "goal" | "note"> => ({
        unit: "x",
        figure: ratio(results[contender], results.bundle),
        goal: { op: ">=", value: 3 },
        note: `${short(medians.bundle)} ms : ${short(spread(results[contender]).median)} ms`,
    });
    const { bundle, zip } = parts.packageBytes;
    const kibibytes = (bytes: number): string => `${short(bytes / 1024)} KiB`;
    return [
        {
            id: "cold-start",
            work: "cold start of the bundle, process start to first answer, times faster",
            against: "un-bundled sources, compiled, with node_modules",
            ...against("unbundled"),
        },
        {
            id: "cold-start-sources",
            work: "the same",
            against: "the TypeScript sources as they are, by tsx with its cache filled",
            ...against("sources"),
        },
        {
            id: "cold-start-own",
            work: "the same, less the time that the host takes with a package of nothing",
            against: "un-bundled sources, compiled, with node_modules",
            unit: "x",
            figure: ratio(less(results.unbundled, medians.empty), less(results.bundle, medians.empty)),
            note: `of all these ${short(medians.empty)} ms are the host's and Node.js' own`,
        },
        {
            id: "bundle-size",
            work: "size of the bundle",
            unit: "KiB",
            figure: spread([bundle / 1024]),
            note: `the deployed zip with all its files: ${kibibytes(zip)}`,
        },
    ];
}

function less(times: readonly number[], part: number): number[] {
    return times.map((time) => time - part);
}

/** @returns milliseconds */
async function start(parts: Parts, packageDir: string): Promise<number> {
    const port = await getPort();
    const { command, args, env } = await prepareHost(parts.workshop, { ...parts.hostOptions(packageDir), port, name: "host-cold" });
    const startedAt = performance.now();
    const child = spawn(command, args, { env, stdio: ["ignore", "ignore", "inherit"] });
    try {
        while (!(await answers(port))) {
            if (child.exitCode !== null) {
                throw new Error(`the host of ${packageDir} ended with ${child.exitCode}`);
            }
            await sleep(2);
        }
        return performance.now() - startedAt;
    } finally {
        if (child.exitCode === null) {
            child.kill("SIGKILL");
            await once(child, "exit");
        }
    }
}

async function answers(port: number): Promise<boolean> {
    try {
        const url = `http://127.0.0.1:${port}/api/predictions/${storedKey(1)}`;
        const response = await fetch(url, { headers: { "x-functions-key": functionKey, connection: "close" } });
        await response.arrayBuffer();
        return response.status === 200;
    } catch {
        return false;
    }
}

/** The handlers' sources as a deployment without a bundler has them: each file compiled by itself, libraries in `node_modules`. */
async function unbundledPackage(parts: Parts): Promise<string> {
    const dir = packageWithout(parts, "unbundled", "functions/index.js");
    await build({
        absWorkingDir: projectDir,
        entryPoints: ["functions/**/*.ts"],
        outbase: ".",
        outdir: dir,
        platform: "node",
        target: "node24",
        format: "cjs",
        logLevel: "silent",
    });
    return dir;
}

/** The handlers' sources without any build step, as a developer runs them. */
function sourcesPackage(parts: Parts): string {
    const dir = packageWithout(parts, "sources", "start.js");
    cpSync(path.join(projectDir, "functions"), path.join(dir, "functions"), { recursive: true });
    writeFileSync(path.join(dir, "start.js"), 'require("tsx/cjs");\nrequire("./functions/index.ts");\n');
    return dir;
}

/** A folder with everything of a package but its code. @param main what the host loads, from the folder */
function packageWithout({ workshop, packageDir }: Parts, name: string, main: string): string {
    const dir = path.join(workshop.dir, `${name}-package`);
    mkdirSync(path.join(dir, "ml"), { recursive: true });
    for (const file of ["features.json", "promotions.json"]) {
        cpSync(path.join(projectDir, "ml", file), path.join(dir, "ml", file));
    }
    cpSync(path.join(packageDir, "host.json"), path.join(dir, "host.json"));
    symlinkSync(path.join(projectDir, "node_modules"), path.join(dir, "node_modules"));
    writeFileSync(path.join(dir, "package.json"), JSON.stringify({ name, main }));
    return dir;
}
