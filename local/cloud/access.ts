import { LocalCloudError, type CloudService, type Identified, type Registration } from "./resource-type";
import { z } from "zod";

/**
 * What the built-in roles of the program allow, in the words of this file's `Permission`. Role ids and their actions:
 * https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
 */
const roles: Readonly<Record<string, readonly Permission[]>> = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": ["blob/read", "blob/write"], // Storage Blob Data Owner
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": ["blob/read", "blob/write"], // Storage Blob Data Contributor
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": ["blob/read"], // Storage Blob Data Reader
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": ["queue/read", "queue/send", "queue/process", "queue/manage"], // Storage Queue Data Contributor
    "8a0f0c08-91a1-4084-bc3d-661d67233fed": ["queue/process"], // Storage Queue Data Message Processor
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": ["queue/send"], // Storage Queue Data Message Sender
    "19e7f393-937e-4f77-808e-94535e297925": ["queue/read"], // Storage Queue Data Reader
    "f6c7c914-8db3-469d-8ca1-694a8f32e121": ["models/score", "jobs/write"], // AzureML Data Scientist
    "4633458b-17de-408a-b874-0445c86b69e6": ["secrets/read"], // Key Vault Secrets User
};

/** What a local service asks for before it serves a request. */
export type Permission =
    | "blob/read"
    | "blob/write"
    | "queue/read"
    | "queue/send"
    | "queue/process"
    | "queue/manage"
    | "models/score"
    | "jobs/write"
    | "secrets/read";

interface Assignment {
    readonly principalId: string;
    readonly scope: string;
    readonly permissions: readonly Permission[];
}

const assignmentInputs = z.object({
    principalId: z.string().min(1),
    roleDefinitionId: z.string().min(1),
    scope: z.string().startsWith("/"),
    roleAssignmentName: z.string().optional(),
});
const roleDefinitionInputs = z.object({
    scope: z.string().startsWith("/"),
    roleDefinitionId: z.string().optional(),
    permissions: z.array(z.object({ actions: z.array(z.string()).optional() })),
});

/** The role assignments of the local cloud. As in Azure, nothing is allowed that no assignment allows. */
export class AccessControl implements CloudService {
    readonly #assignments = new Map<string, Assignment>();
    readonly #customRoles = new Map<string, readonly Permission[]>();

    readonly types = {
        "azure-native:authorization:RoleAssignment": {
            identify: (registration: Registration) => {
                const { scope, roleAssignmentName } = assignmentInputs.parse(registration.inputs);
                const name = roleAssignmentName ?? registration.name;
                return { id: `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`, name };
            },
            create: (registration: Registration, { id }: Identified) => {
                const { principalId, roleDefinitionId, scope } = assignmentInputs.parse(registration.inputs);
                this.#assignments.set(id, { principalId, scope: scope.toLowerCase(), permissions: this.#permissions(roleDefinitionId) });
                return {};
            },
            remove: (_registration: Registration, { id }: Identified) => void this.#assignments.delete(id),
        },
        "azure-native:authorization:RoleDefinition": {
            identify: (registration: Registration) => {
                const { scope, roleDefinitionId } = roleDefinitionInputs.parse(registration.inputs);
                const name = roleDefinitionId ?? registration.name;
                return { id: `${scope}/providers/Microsoft.Authorization/roleDefinitions/${name}`, name };
            },
            create: (registration: Registration, { name }: Identified) => {
                const actions = roleDefinitionInputs.parse(registration.inputs).permissions.flatMap((each) => each.actions ?? []);
                const scores = actions.some((action) => /\/(onlineEndpoints\/score|batchEndpoints\/jobs\/write)/i.test(action));
                this.#customRoles.set(name, scores ? ["models/score"] : []);
                return {};
            },
            remove: (_registration: Registration, { name }: Identified) => void this.#customRoles.delete(name),
        },
    };

    /** Whether an assignment gives the principal this permission on the resource or on something around it. */
    allows(principalId: string, permission: Permission, resourceId: string): boolean {
        const resource = resourceId.toLowerCase();
        return [...this.#assignments.values()].some(
            (assignment) =>
                assignment.principalId === principalId &&
                assignment.permissions.includes(permission) &&
                (resource === assignment.scope || resource.startsWith(`${assignment.scope}/`)),
        );
    }

    #permissions(roleDefinitionId: string): readonly Permission[] {
        const role = roleDefinitionId.split("/").at(-1) ?? "";
        const permissions = roles[role] ?? this.#customRoles.get(role);
        if (permissions === undefined && !rolesWithoutLocalMeaning.has(role)) {
            throw new LocalCloudError(`role ${roleDefinitionId} is not known to the local cloud: add it to local/cloud/access.ts`);
        }
        return permissions ?? [];
    }
}

/** Roles for services that do not run locally: metrics, the host's tables, image pulls, the workspace's own plane. */
const rolesWithoutLocalMeaning = new Set([
    "3913510d-42f4-4e42-8a64-420c390055eb", // Monitoring Metrics Publisher
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3", // Storage Table Data Contributor
    "db58b8e5-c6ad-4a2a-8342-4190687cbf4a", // Storage Blob Delegator
    "7f951dda-4ed3-4680-a7ca-43fe172d538d", // AcrPull
    "635dd51f-9968-44d3-b7fb-6d9a6bd613ae", // AzureML Metrics Writer
    "e503ece1-11d0-4e8e-8e2c-7a6c3bf38815", // AzureML Compute Operator
]);
