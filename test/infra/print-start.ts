import "../../infra/node-start";
import * as pulumi from "@pulumi/pulumi";

/** Prints what the program's start has loaded of what the SDK needs for closures alone, and what comes of using it: `tsx print-start.ts`. */
async function main(): Promise<void> {
    const loaded = (): string[] => ["typescript/lib", "@npmcli/arborist/lib/arborist"].filter((part) => Object.keys(require.cache).some((file) => file.includes(part)));
    const before = loaded();
    const { text } = await pulumi.runtime.serializeFunction(() => 1);
    const paths = await pulumi.runtime.computeCodePaths();
    console.log(JSON.stringify({ before, after: loaded(), isFunction: /=> ?1/.test(text), paths: [...paths.keys()] }));
}

void main();
