import { stripVTControlCharacters } from "node:util";
import type { Action, Change, Preview } from "./change";
import { dataLostBy } from "./data";
import { cutToLimit } from "./markdown";
import { reasonOf } from "./reasons";
import { settingsChanged } from "./settings-changed";
import { sentencesOf } from "./statements/statements";
import type { Topic } from "./statements/statement";
import { showing, type Show } from "./values";
import { nounOf, subjectOf } from "./words";

/** The most dangerous first. */
const actions: readonly Action[] = ["delete", "replace", "update", "create"];
const past: Readonly<Record<Action, string>> = { create: "created", update: "updated", replace: "replaced", delete: "deleted" };

/** Lines of what failed. */
const failureLines = 30;

/** How many names stand on one line. */
const namesPerLine = 10;

/**
 * The review of a preview as Markdown for a comment on a pull request: what is dangerous, then every change by its part. The same preview
 * gives the same text.
 *
 * @param limit most characters; what is dangerous is kept
 */
export function reviewOf(preview: Preview, limit?: number): string {
    const show = showing(preview.secrets);
    const lines = [
        // Finds the comment again, which is written over at the next push.
        `<!-- player-predictions preview ${preview.stack.replace(/[^A-Za-z0-9._/]+/g, "-").slice(0, 100)} -->`,
        `## Preview of ${show.text(preview.stack)}`,
        "",
        summary(preview),
        ...failures(preview, show),
        ...dataLost(preview, show),
        ...protectionLost(preview, show),
        ...access(preview, show),
        ...byPart(preview, show),
    ];
    return cutToLimit(lines, limit);
}

function summary({ changes, failures: messages }: Preview): string {
    const counts = actions.map((action) => [changes.filter((change) => change.action === action).length, past[action]] as const);
    const told = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
    if (told.length === 0) {
        return messages.length === 0 ? "Nothing changes." : "What changes is not known: the preview failed.";
    }
    return `${told.join(", ")}.`;
}

/** A line of theirs a line: a message may tell of several things, in colours. As many as leave room for what is dangerous. */
function failures({ failures: messages }: Preview, show: Show): string[] {
    const lines = messages.flatMap((message) => stripVTControlCharacters(message).split("\n")).map((line) => line.trim()).filter((line) => line !== "");
    const more = lines.length - failureLines;
    return section("This preview failed: what follows is not all of it", [
        ...lines.slice(0, failureLines).map(show.text),
        ...(more > 0 ? [`and ${more} more lines: the log of the preview has them`] : []),
    ]);
}

function dataLost(preview: Preview, show: Show): string[] {
    const lost = preview.changes.flatMap((change) => {
        const data = dataLostBy(change);
        return data === undefined ? [] : [{ change, data }];
    });
    return section(
        "Data that is lost",
        actions.flatMap((action) =>
            lost
                .filter(({ change }) => change.action === action)
                .map(({ change, data }) => {
                    const guarded = change.before?.protect === true ? " It is protected: the update refuses to." : "";
                    return `${subjectOf(change, show)} (${partName(change.part)}) is **${past[action]}**: ${data}. Because ${reasonOf(change, preview, show)}.${guarded}`;
                }),
        ),
    );
}

function protectionLost({ changes }: Preview, show: Show): string[] {
    const unguarded = changes.filter(({ before, after }) => before?.protect === true && after?.protect === false);
    return section("Protection that ends", unguarded.map((change) => `${subjectOf(change, show)} may be deleted by the next update`));
}

function access(preview: Preview, show: Show): string[] {
    const sentences = sentencesOf(preview, show);
    const of = (topic: Topic): string[] => [...new Set(sentences.filter((sentence) => sentence.topic === topic).map(({ line }) => line))];
    return [...section("Access", of("access")), ...section("Network", of("network")), ...section("Schedules", of("schedule"))];
}

function byPart(preview: Preview, show: Show): string[] {
    const parts = [...new Set(preview.changes.map(({ part }) => part))];
    return parts.flatMap((part) => {
        const changes = preview.changes.filter((change) => change.part === part);
        return ["", `### ${partName(part)}`, "", ...actions.flatMap((action) => linesOf(action, changes, preview, show))];
    });
}

function linesOf(action: Action, changes: readonly Change[], preview: Preview, show: Show): string[] {
    const these = changes.filter((change) => change.action === action);
    if (action === "create") {
        return created(these, show);
    }
    return these.flatMap((change) => {
        const reason = action === "update" ? "" : `: because ${reasonOf(change, preview, show)}`;
        const kept = action === "delete" && change.before?.retained === true ? "no longer managed (it stays as it is)" : past[action];
        const settings = action === "delete" ? [] : settingsChanged(change, preview.source, show);
        return [`- ${kept}: ${subjectOf(change, show)}${reason}`, ...settings.map((line) => `  - ${line}`)];
    });
}

/** What is new is named, a line a type. */
function created(changes: readonly Change[], show: Show): string[] {
    return [...new Set(changes.map(({ type }) => type))].flatMap((type) => {
        const names = changes.filter((change) => change.type === type).map(({ name }) => show.text(name));
        const lines = Array.from({ length: Math.ceil(names.length / namesPerLine) }, (_, line) => names.slice(line * namesPerLine, (line + 1) * namesPerLine));
        return lines.map((some) => `- ${past.create}: ${nounOf(type, show)} ${some.join(", ")}`);
    });
}

/** Parts are folders of `infra/`; their names are letters and hyphens. */
function partName(part: string | undefined): string {
    return part === undefined ? "the stack itself" : `infra/${part}`;
}

function section(title: string, lines: readonly string[]): string[] {
    return lines.length === 0 ? [] : ["", `### ${title}`, "", ...lines.map((line) => `- ${line}`)];
}
