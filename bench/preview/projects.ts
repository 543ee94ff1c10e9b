import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { projectDir } from "../../local/parts/paths";
import { copyProject } from "../../test/engine/command-line";
import { record } from "../../test/infra/recording";
import { defaultWayProgram } from "./default-way";

/** The projects that are compared; each has a stack `dev`. */
export const contenders = ["stack", "empty", "default way"] as const;
export type Contender = (typeof contenders)[number];

/** Writes the three projects below a folder. @returns where each is */
export async function makeProjects(dir: string): Promise<Record<Contender, string>> {
    const dirs = Object.fromEntries(contenders.map((name) => [name, path.join(dir, name.replace(" ", "-"))])) as Record<Contender, string>;
    copyProject(dirs.stack, ["dev"]);
    for (const project of [dirs.empty, dirs["default way"]]) {
        mkdirSync(project, { recursive: true });
        symlinkSync(path.join(projectDir, "node_modules"), path.join(project, "node_modules"));
    }
    emptyProject(dirs.empty);
    await defaultProject(dirs["default way"]);
    return dirs;
}

/** A program of nothing, run as ours is. */
function emptyProject(dir: string): void {
    const [, runtime] = /^(runtime:\n(?: .*\n)+)/m.exec(readFileSync(path.join(projectDir, "Pulumi.yaml"), "utf8")) ?? [];
    writeFileSync(path.join(dir, "Pulumi.yaml"), `name: empty\n${runtime}main: index.ts\n`);
    writeFileSync(path.join(dir, "package.json"), JSON.stringify({ name: "empty", private: true }));
    writeFileSync(path.join(dir, "index.ts"), 'import * as pulumi from "@pulumi/pulumi";\n\nexport const stack: string = pulumi.getStack();\n');
}

/** What `pulumi new` makes, with our resources. */
async function defaultProject(dir: string): Promise<void> {
    const asset = path.join(dir, "asset.txt");
    writeFileSync(asset, "content");
    writeFileSync(path.join(dir, "Pulumi.yaml"), "name: default-way\nruntime: nodejs\n");
    writeFileSync(path.join(dir, "package.json"), JSON.stringify({ name: "default-way", main: "index.ts", private: true }));
    const compilerOptions = { strict: true, target: "es2020", module: "commonjs", moduleResolution: "node", sourceMap: true, skipLibCheck: true, types: ["node"] };
    writeFileSync(path.join(dir, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["index.ts"] }));
    writeFileSync(path.join(dir, "index.ts"), defaultWayProgram(await record({ stack: "dev" }), asset));
}
