import { isUnknown } from "../special";
import { parseUrn } from "../urn";
import { nounOf, subjectOf } from "../words";
import type { Described } from "./statement";

/** Kinds of resources by the plural that ARM ids have for them. */
const armNouns: Readonly<Record<string, string>> = {
    subscriptions: "the whole subscription",
    resourcegroups: "resource group",
    storageaccounts: "storage account",
    containers: "container",
    queues: "queue",
    vaults: "Key Vault",
    secrets: "Key Vault secret",
    registries: "container registry",
    components: "Application Insights",
    workspaces: "workspace",
    datastores: "datastore",
    onlineendpoints: "online endpoint",
    batchendpoints: "batch endpoint",
    managementgroups: "management group",
    userassignedidentities: "identity",
};

/** The resource that an ARM id stands for, in words. Says what the id says, not what it was made of. */
export function armName(id: string, { show }: Described): string {
    const segments = id.split("/").filter((segment) => segment !== "");
    if (segments.length === 0 || id.trim() === "/") {
        return "everything there is (scope `/`)";
    }
    const name = segments.at(-1) ?? "";
    const noun = armNouns[(segments.at(-2) ?? "").toLowerCase()];
    return noun === undefined || segments.length % 2 === 1 ? show.text(id) : `${noun} ${show.text(name)}`;
}

/** What the ARM id in a property, or further down in it, stands for; where it is not known yet, what it follows from. */
export function armTarget(resource: Described, property: string, value: unknown = resource.state.inputs[property]): string {
    return typeof value === "string" && !isUnknown(value) ? armName(value, resource) : unknownOf(resource, property);
}

/** The identity whose object id is in a property. */
export function identityTarget(resource: Described, property: string, value: unknown = resource.state.inputs[property]): string {
    if (typeof value !== "string" || isUnknown(value)) {
        return unknownOf(resource, property);
    }
    const urn = resource.identities.get(value);
    const known = urn === undefined ? undefined : parseUrn(urn);
    if (known !== undefined) {
        return subjectOf(known, resource.show);
    }
    const [from] = namesOf(resource, property);
    return `${from ?? "the principal"} (object id ${resource.show.text(value)})`;
}

function unknownOf(resource: Described, property: string): string {
    const names = namesOf(resource, property);
    return names.length === 0 ? `what ${resource.show.text(property)} will be` : resource.show.list(names, 5);
}

function namesOf({ state, show }: Described, property: string): string[] {
    const urns = Object.hasOwn(state.dependencies, property) ? (state.dependencies[property] ?? []) : [];
    return urns
        .map(parseUrn)
        .filter((urn) => urn !== undefined)
        .map((urn) => `${nounOf(urn.type, show)} ${show.text(urn.name)}`)
        .sort();
}
