import type { Rule } from "../rule";

/** Tags that everything has, whatever the stack's configuration adds. */
const everywhere = ["project", "stack", "profile"] as const;

/** Types of the two clouds that take no tags. A test compares the list with the SDKs; a type that is on no list has to be tagged. */
export const untaggable: ReadonlySet<string> = new Set([
    "azure-native:authorization:RoleAssignment",
    "azure-native:authorization:RoleDefinition",
    "azure-native:eventgrid:SystemTopicEventSubscription",
    "azure-native:machinelearningservices:CodeVersion",
    "azure-native:machinelearningservices:Datastore",
    "azure-native:machinelearningservices:EnvironmentVersion",
    "azure-native:machinelearningservices:ModelVersion",
    "azure-native:network:PrivateDnsZoneGroup",
    "azure-native:network:Subnet",
    "azure-native:redisenterprise:AccessPolicyAssignment",
    "azure-native:redisenterprise:Database",
    "azure-native:storage:Blob",
    "azure-native:storage:BlobContainer",
    "azure-native:storage:BlobServiceProperties",
    "azure-native:storage:ManagementPolicy",
    "azure-native:storage:Queue",
    "azure-native:web:WebAppFtpAllowed",
    "azure-native:web:WebAppScmAllowed",
    "aws:iam/rolePolicy:RolePolicy",
]);

/** Deployments are history and not things that cost anything. */
const untagged: ReadonlySet<string> = new Set([...untaggable, "azure-native:resources:Deployment"]);

export const tagRules: readonly Rule[] = [
    {
        name: "tagged",
        description: "Everything that takes tags says which project, stack and profile it is of.",
        check: ({ type, props }) => {
            if (!/^(azure-native|aws):/.test(type) || untagged.has(type)) {
                return [];
            }
            const tags = (props.tags ?? {}) as Readonly<Record<string, unknown>>;
            return everywhere
                .filter((tag) => typeof tags[tag] !== "string" || tags[tag] === "")
                .map(
                    (tag) =>
                        `the tag ${tag} is missing: give the part's tags to it (a type that takes none is listed in infra/policy/rules/tags.ts)`,
                );
        },
    },
];
