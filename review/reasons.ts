import type { Change, Preview } from "./change";
import { differencesOf, pathSteps, valueAt } from "./differences";
import type { Show } from "./values";
import { subjectOf } from "./words";

/** Why a resource is replaced or deleted, with the properties that cause it from -> to. */
export function reasonOf(change: Change, { changes, source }: Preview, show: Show): string {
    if (change.remark === "left over") {
        return "it was left over from a replacement that did not finish";
    }
    if (change.remark === "gone") {
        return "it is there no longer";
    }
    if (change.action === "delete") {
        const successor = changes.find(({ type, action }) => type === change.type && action === "create");
        const renamed = successor === undefined ? "" : `; ${subjectOf(successor, show)} is new: if it is the same under another name, an alias keeps the data`;
        return `the program does not register it any more${renamed}`;
    }
    if (source === "plan") {
        return `of one of ${show.list(change.paths.map(show.text)) || "its options"} (a plan does not tell which)`;
    }
    return change.because.length === 0 ? withoutProperty(change, changes, show) : `of ${show.list(change.because.map((path) => causeOf(change, path, changes, show)), 10)}`;
}

/** The engine replaces what depends on something that has to be deleted before its replacement is made. */
function withoutProperty({ before, after }: Change, changes: readonly Change[], show: Show): string {
    const on = new Set([before, after].flatMap((state) => Object.values(state?.dependencies ?? {}).flat()));
    const replaced = changes.filter(({ urn, action }) => action === "replace" && on.has(urn));
    return replaced.length === 0
        ? "of an option, not of a property"
        : `of ${show.list(replaced.map((each) => subjectOf(each, show)), 3)}, on which it depends and which is replaced`;
}

function causeOf({ before, after }: Change, path: string, changes: readonly Change[], show: Show): string {
    const steps = pathSteps(path);
    const [top = path] = steps;
    const exact = differencesOf(wrapped(before?.inputs, steps), wrapped(after?.inputs, steps));
    const from = valueAt(before?.inputs, steps) ?? valueAt(before?.outputs, steps);
    const values = exact.length === 1 && exact[0] !== undefined
        ? `${show.text(exact[0].path.join("."))} (${show.value(exact[0].from, exact[0].path)} -> ${show.value(exact[0].to, exact[0].path)})`
        : `${show.text(path)} (${show.value(from, steps)} -> ${show.value(valueAt(after?.inputs, steps), steps)})`;
    const owners = changes.filter(({ urn, action }) => action === "replace" && (after?.dependencies[top] ?? []).includes(urn));
    return owners.length === 0 ? values : `${values}, since ${show.list(owners.map((owner) => subjectOf(owner, show)), 3)} is replaced`;
}

/** One property by itself under its whole path, for a comparison. */
function wrapped(properties: Readonly<Record<string, unknown>> | undefined, steps: readonly string[]): Record<string, unknown> {
    return steps.reduceRight<unknown>((inner, step) => ({ [step]: inner }), valueAt(properties, steps)) as Record<string, unknown>;
}
