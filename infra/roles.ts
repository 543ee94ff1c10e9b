import { createHash } from "node:crypto";
import * as authorization from "@pulumi/azure-native/authorization";
import * as pulumi from "@pulumi/pulumi";
import { besideTheOld } from "./content";
import { roles } from "./role-ids";

export interface RoleArgs {
    readonly role: keyof typeof roles;
    /** Object id of the identity that is given the role. */
    readonly principalId: pulumi.Input<string>;
    /** ARM id of what the role is given on. */
    readonly scope: pulumi.Input<string>;
}

/**
 * Gives an identity a role. The assignment's name follows from scope, identity and role, as Azure allows one assignment of the
 * three: a changed one is a new name, which can be made before the old one goes.
 */
export function assignRole(name: string, args: RoleArgs, opts: pulumi.CustomResourceOptions): authorization.RoleAssignment {
    const { role, principalId, scope } = args;
    return new authorization.RoleAssignment(
        name,
        {
            roleAssignmentName: pulumi.all([scope, principalId]).apply(([on, principal]) => guidOf(`${on}|${principal}|${roles[role]}`)),
            // Without the scope's subscription, which a built-in role needs not: so a preview names the role of what does not exist yet.
            roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${roles[role]}`,
            principalId,
            // Without it Azure looks the principal up in Entra, where a new identity is not seen at once.
            principalType: "ServicePrincipal",
            scope,
        },
        { ...opts, ...besideTheOld },
    );
}

/** The subscription of a resource, from its ARM id. */
export function subscriptionOf(resourceId: string): string {
    const [, , subscription = ""] = resourceId.split("/");
    return subscription;
}

/** A GUID (version 8: of a scheme of one's own) that follows from a text. */
function guidOf(text: string): string {
    const hex = createHash("sha256").update(text).digest("hex");
    return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}
