import { isRecord, isUnknown } from "../special";
import { subjectOf } from "../words";
import { armTarget, identityTarget } from "./reference";
import { roleName } from "./role-names";
import { gains, runs, trusts, type Described, type Statement } from "./statement";

/** Azure: who has which role on what, whose tokens count, whom things run as. */
export function rolesOf(resource: Described): Statement[] {
    switch (resource.type) {
        case "azure-native:authorization:RoleAssignment":
            return [access(identityTarget(resource, "principalId"), `${roleOf(resource)} on ${armTarget(resource, "scope")}${condition(resource)}`)];
        case "azure-native:authorization:RoleDefinition":
            return permissions(resource);
        case "azure-native:redisenterprise:AccessPolicyAssignment":
            return [access(redisUser(resource), "every command and key of Redis")];
        case "azure-native:managedidentity:FederatedIdentityCredential":
        case "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential":
            return [federation(resource)];
        case "azuread:index/applicationPassword:ApplicationPassword":
        case "azuread:index/servicePrincipalPassword:ServicePrincipalPassword":
            return [access(subjectOf(resource, resource.show), "a stored password")];
        case "azuread:index/appRoleAssignment:AppRoleAssignment":
            return [access(identityTarget(resource, "principalObjectId"), `app role ${resource.show.value(resource.state.inputs.appRoleId, [])}`)];
        case "azure-native:keyvault:Vault":
            return vaultPolicies(resource);
        default:
            return runsAs(resource);
    }
}

/** Whose rights a resource has at what it does by itself. */
function runsAs(resource: Described): Statement[] {
    const { identity } = resource.state.inputs;
    if (!isRecord(identity)) {
        return [];
    }
    const { type, userAssignedIdentities: users } = identity;
    const ids = Array.isArray(users) ? (users as unknown[]) : isRecord(users) ? Object.keys(users) : [];
    return [
        ...(typeof type === "string" && /SystemAssigned/i.test(type) ? ["an identity of its own"] : []),
        ...(users === undefined || ids.length > 0 ? [] : [armTarget(resource, "identity")]),
        ...ids.map((id) => armTarget(resource, "identity", id)),
    ].map((says) => ({ topic: "access", about: subjectOf(resource, resource.show), says, kind: runs }));
}

/** https://learn.microsoft.com/azure/role-based-access-control/conditions-format */
function condition({ state, show }: Described): string {
    const { condition: when } = state.inputs;
    return when === undefined ? "" : ` when ${show.value(when, [])}`;
}

function access(about: string, says: string): Statement {
    return { topic: "access", about, says, kind: gains };
}

function roleOf({ state, show }: Described): string {
    const definition = state.inputs.roleDefinitionId;
    if (typeof definition !== "string" || isUnknown(definition)) {
        return "a role that is known after the update";
    }
    const id = definition.split("/").at(-1) ?? "";
    const name = roleName(id);
    return name === undefined ? `role ${show.text(id)}` : `**${name}**`;
}

function permissions(resource: Described): Statement[] {
    const { inputs } = resource.state;
    const list = Array.isArray(inputs.permissions) ? (inputs.permissions as unknown[]).filter(isRecord) : [];
    return list.flatMap((permission) =>
        ["actions", "dataActions", "notActions", "notDataActions"].flatMap((kind) => {
            const actions = permission[kind];
            return Array.isArray(actions)
                ? actions.map((action) => access(subjectOf(resource, resource.show), `${kind.startsWith("not") ? "an exception for" : "the action"} ${resource.show.value(action, [])}`))
                : [];
        }),
    );
}

function redisUser(resource: Described): string {
    const { user } = resource.state.inputs;
    return identityTarget(resource, "user", isRecord(user) ? user.objectId : undefined);
}

function federation(resource: Described): Statement {
    const { issuer, subject, audiences } = resource.state.inputs;
    const { value } = resource.show;
    return {
        topic: "access",
        about: subjectOf(resource, resource.show),
        says: `tokens of ${value(issuer, [])} for subject ${value(subject, [])} and audience ${value(audiences, [])}`,
        kind: trusts,
    };
}

function vaultPolicies(resource: Described): Statement[] {
    const { properties } = resource.state.inputs;
    const policies = isRecord(properties) && Array.isArray(properties.accessPolicies) ? (properties.accessPolicies as unknown[]) : [];
    return policies.filter(isRecord).map(({ objectId, permissions: allowed }) =>
        access(`the principal ${resource.show.value(objectId, [])}`, `${resource.show.value(plain(allowed), [])} in ${subjectOf(resource, resource.show)}`),
    );
}

/** The names `keys` and `secrets` say here what the permissions are for, not that their values are some. */
function plain(allowed: unknown): string {
    return isRecord(allowed)
        ? Object.entries(allowed)
              .map(([of, what]) => `${of}: ${Array.isArray(what) ? what.join(" ") : "?"}`)
              .sort()
              .join(", ")
        : "permissions";
}
