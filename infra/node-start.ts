import { enableCompileCache, findSourceMap, setSourceMapsSupport } from "node:module";
import path from "node:path";
import { projectDir } from "./content";
import { putOff } from "./put-off";

/** Whether the SDK reports promises that never settle, with where each was made. */
const reportsPromises = Boolean(process.env.PULUMI_DEBUG_PROMISE_LEAKS);

// What a run has compiled the next one takes over: nearly half of an unchanged preview would be spent on it.
enableCompileCache(path.join(projectDir, "build", "compile-cache"));

// The SDK loads TypeScript and npm's package tree, to write closures down for functions in the cloud. The program has none.
["@pulumi/pulumi/typescript-shim", "@npmcli/arborist"].map((name) => require.resolve(name)).forEach(putOff);

// Of the program's own files. Thousands of the SDKs' have maps too, to sources that are not installed.
setSourceMapsSupport(true, { nodeModules: false });

// The SDK takes a trace with each of its promises, for that report alone: writing them took longer than registering the resources. Its way to
// map places does not see the maps that tsx has, either: traces of the program named lines that nobody wrote.
Error.prepareStackTrace = (error, sites) =>
    isNoteOfAPromise(sites) ? "" : [String(error), ...sites.map(placeOf)].join("\n    at ");

function isNoteOfAPromise([site]: readonly NodeJS.CallSite[]): boolean {
    return !reportsPromises && site?.getFunctionName() === "debuggablePromise";
}

/** A line of a trace, with the place in the file as it was written. */
function placeOf(site: NodeJS.CallSite): string {
    const text = (site as { toString(): string }).toString();
    const [file, line, column] = [site.getFileName(), site.getLineNumber(), site.getColumnNumber()];
    if (typeof file !== "string" || line === null || column === null || file.includes(`${path.sep}node_modules${path.sep}`)) {
        return text;
    }
    const origin = findSourceMap(file)?.findOrigin(line, column);
    return origin === undefined || !("fileName" in origin)
        ? text
        : text.replace(`${file}:${line}:${column}`, `${file}:${origin.lineNumber}:${origin.columnNumber}`);
}
