import { broadRoles } from "../../role-ids";
import { at, checks, items, textOf, type Rule } from "../rule";

const assignment = "azure-native:authorization:RoleAssignment";
const definition = "azure-native:authorization:RoleDefinition";

export const roleRules: readonly Rule[] = [
    {
        name: "role-not-broad",
        description: "Identities get the roles of what they do, never one over everything.",
        check: checks({
            [assignment]: ({ props }) => {
                const broad = broadRoles[textOf(props.roleDefinitionId).split("/").at(-1)?.toLowerCase() ?? ""];
                return broad === undefined ? [] : [`the role ${broad} is given: give the built-in role of the one action that is needed`];
            },
        }),
    },
    {
        name: "role-scope",
        description: "Roles are given inside the resource group, on what they are needed for.",
        check: checks({ [assignment]: ({ props }) => wide(textOf(props.scope), "scope") }),
    },
    {
        name: "role-no-wildcard",
        description: "A role of one's own names its actions, and can be given inside a resource group alone.",
        check: checks({
            [definition]: ({ props }) => [
                ...items(props.permissions).flatMap((permission) =>
                    ["actions", "dataActions"].flatMap((key) =>
                        items(at(permission, key))
                            .map(textOf)
                            .filter((action) => action.includes("*"))
                            .map((action) => `${key} has ${JSON.stringify(action)}: name each action`),
                    ),
                ),
                ...items(props.assignableScopes).flatMap((scope) => wide(textOf(scope), "assignableScopes")),
            ],
        }),
    },
];

function wide(scope: string, property: string): string[] {
    return /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+(\/|$)/i.test(scope)
        ? []
        : [`${property} ${JSON.stringify(scope)} is wider than a resource group: name the resource`];
}
