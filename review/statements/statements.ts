import type { Change, Preview, ResourceState } from "../change";
import type { Show } from "../values";
import { networkOf } from "./network";
import { policiesOf } from "./policies";
import { rolesOf } from "./roles";
import { schedulesOf } from "./schedules";
import type { Describe, Statement, Topic } from "./statement";

const describers: readonly Describe[] = [rolesOf, policiesOf, networkOf, schedulesOf];

/** A line about who may do what, from where or when, and what it belongs to. */
export interface Sentence {
    readonly topic: Topic;
    readonly line: string;
}

/** What an update changes about access, network and schedules, in plain words. */
export function sentencesOf({ changes, identities, source }: Preview, show: Show): Sentence[] {
    return changes.flatMap((change) => {
        const { type, name, before, after, action } = change;
        const stated = (state: ResourceState | undefined): Statement[] =>
            state === undefined ? [] : describers.flatMap((describe) => describe({ type, name, state, identities, show }));
        // A plan holds only what changes, and not what was before: what it does not mention is not at its default.
        const now = stated(after).filter(({ says }) => source === "preview" || action === "create" || !says.endsWith(" (the default)"));
        return told(stated(before), now, change, source);
    });
}

function told(before: readonly Statement[], after: readonly Statement[], { action }: Change, source: Preview["source"]): Sentence[] {
    const keyOf = ({ topic, about, says, kind }: Statement): string => [topic, about, kind === "is" ? "" : says].join("\n");
    const old = new Map(before.map((statement) => [keyOf(statement), statement]));
    const now = new Map(after.map((statement) => [keyOf(statement), statement]));
    const sentences: Sentence[] = [];
    for (const key of new Set([...old.keys(), ...now.keys()])) {
        const line = lineOf(old.get(key), now.get(key), action, source);
        if (line !== undefined) {
            sentences.push(line);
        }
    }
    return sentences;
}

function lineOf(was: Statement | undefined, is: Statement | undefined, action: Change["action"], source: Preview["source"]): Sentence | undefined {
    const one = is ?? was;
    if (one === undefined || was?.says === is?.says) {
        return undefined;
    }
    const { topic, about, kind } = one;
    if (kind !== "is") {
        const verb = is === undefined ? kind.holds.ends : kind.holds.begins;
        return { topic, line: `${about} ${verb} ${one.says}` };
    }
    if (is === undefined) {
        // With the resource goes whatever it opened.
        return action === "delete" && topic !== "schedule" ? undefined : { topic, line: `${about}: ${one.says} -> *nothing*` };
    }
    if (was === undefined) {
        return action === "create" && is.safe === true ? undefined : { topic, line: `${about}: ${source === "plan" && action !== "create" ? "now " : ""}${is.says}` };
    }
    return { topic, line: `${about}: ${was.says} -> ${is.says}` };
}
