import { stripVTControlCharacters } from "node:util";

/**
 * What policies say in the text of a preview: the JSON of the same preview does not have it
 * (https://github.com/pulumi/pulumi/blob/master/pkg/backend/display/json.go).
 *
 * @param text what `pulumi preview --policy-pack` wrote
 * @returns its lines; empty where the text tells of no policy
 */
export function policyFaults(text: string): string[] {
    const lines = stripVTControlCharacters(text).split(/\r?\n/);
    const start = lines.findIndex((line) => /^Policies:\s*$/.test(line));
    if (start === -1) {
        return [];
    }
    const rest = lines.slice(start + 1);
    const end = rest.findIndex((line) => /^\S/.test(line));
    const told = (end === -1 ? rest : rest.slice(0, end)).map((line) => line.trim()).filter((line) => line !== "");
    // A pack whose rules all hold is listed, too, with its name alone.
    return told.some((line) => line.startsWith("- [")) ? told : [];
}
