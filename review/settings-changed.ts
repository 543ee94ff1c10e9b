import type { Change, Preview } from "./change";
import { differencesOf, pathSteps, valueAt, type Difference } from "./differences";
import { isSecret } from "./special";
import type { Show } from "./values";

/** The settings of a resource that are other than before, a line each: `name`: from -> to. */
export function settingsChanged(change: Change, source: Preview["source"], show: Show): string[] {
    if (change.before === undefined || change.after === undefined) {
        return source === "plan" ? plannedSettings(change, show) : [];
    }
    const lines = allDifferences(change).map(({ path, from, to }) => {
        const name = show.text(path.join("."));
        return isSecret(from) && isSecret(to) ? `${name}: *secret*, changed` : `${name}: ${show.value(from, path)} -> ${show.value(to, path)}`;
    });
    if (change.before.protect !== change.after.protect) {
        lines.push(change.after.protect ? "protected from now on" : "**no longer protected**: the next update may delete it");
    }
    return lines;
}

/** What differs in the inputs, and what the provider found different besides: hidden in a secret, or changed behind the stack's back. */
function allDifferences({ before, after, paths }: Change): Difference[] {
    const inputs = differencesOf(before?.inputs ?? {}, after?.inputs ?? {});
    const tops = new Set(inputs.map(({ path }) => path[0]));
    const others = paths.map(pathSteps).filter(([top]) => top !== undefined && !tops.has(top) && !top.startsWith("__"));
    return [
        ...inputs,
        ...others.map((path) => {
            const to = valueAt(after?.inputs, path);
            return { path, from: isSecret(to) ? to : (valueAt(before?.outputs, path) ?? valueAt(before?.inputs, path)), to };
        }),
    ];
}

/** A plan tells what changes and to what. */
function plannedSettings({ action, after, paths }: Change, show: Show): string[] {
    return action === "create" || action === "delete"
        ? []
        : paths.map((path) => `${show.text(path)}: -> ${show.value(Object.hasOwn(after?.inputs ?? {}, path) ? after?.inputs[path] : undefined, [path])}`);
}
