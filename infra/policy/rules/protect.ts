import { dataHolderOf, type DataHolder } from "../../data-holders";
import { at, isWithin, type Rule, type RuleResource } from "../rule";

/** What a resource holds that no update brings back: player data, secrets, logs, an address that others know. */
function holderOf(resource: RuleResource): DataHolder | undefined {
    const holder = dataHolderOf(resource.type);
    switch (holder?.protectedIn) {
        case "nothing":
            return undefined;
        case "the lake":
            return isWithin(resource, "player-predictions:lake:Lake") ? holder : undefined;
        case undefined:
            return holder;
    }
}

const remedy = "it can be deleted: set the option protect to true";

export const protectRules: readonly Rule[] = [
    {
        name: "data-protected",
        description: "Where the tag profile is prod, nothing that holds data is deleted or replaced by an update.",
        check: (resource) => {
            const holder = holderOf(resource);
            const isProduction = holder !== undefined && holder.inside === undefined && at(resource.props, "tags.profile") === "prod";
            return isProduction && !resource.protect ? [remedy] : [];
        },
    },
    {
        // It has no tags, or none that are known in a preview.
        name: "data-protected-inside",
        description: "Data in something that is protected is protected as well: containers and queues of an account, the database of a cluster.",
        checkStack: (resources) =>
            resources.flatMap((resource) => {
                const { inside } = holderOf(resource) ?? {};
                const isInProtected = inside !== undefined && resources.some((other) => other.protect && resource.comesFrom(inside, other));
                return isInProtected && !resource.protect ? [{ resource, fault: remedy }] : [];
            }),
    },
];
