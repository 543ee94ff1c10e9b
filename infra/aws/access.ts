import * as iam from "@pulumi/aws/iam";
import { Application } from "@pulumi/azuread/application";
import { ApplicationIdentifierUri } from "@pulumi/azuread/applicationIdentifierUri";
import { ServicePrincipal } from "@pulumi/azuread/servicePrincipal";
import * as pulumi from "@pulumi/pulumi";
import { accessPolicy, trustPolicy } from "./policies";

export interface AwsAccessArgs {
    /** Entra tenant of the identity. */
    readonly tenantId: pulumi.Input<string>;
    /** Object id of the managed identity that assumes the role. */
    readonly principalId: pulumi.Input<string>;
    readonly bucketArn: pulumi.Input<string>;
    /** Prefix of the keys that are read; empty for the whole bucket. */
    readonly prefix: string;
    /**
     * ARN of the database user that the role may sign in as.
     * @default the role may not sign in to the database
     */
    readonly databaseUserArn: pulumi.Input<string> | undefined;
    /**
     * Audience of the tokens.
     * @default an app registration is made for it
     */
    readonly existingAudience: string | undefined;
    /**
     * ARN of the account's OIDC provider for the tenant: an AWS account takes one per issuer.
     * @default one is made
     */
    readonly existingProviderArn: string | undefined;
    readonly tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/**
 * Lets one managed identity of Azure read the player logs and sign in to the database, without a stored secret: AWS trusts the
 * identity's own token, for one audience, and nothing else.
 */
export class AwsAccess extends pulumi.ComponentResource {
    readonly roleArn: pulumi.Output<string>;
    /** Audience of the token that the role asks for. */
    readonly audience: pulumi.Output<string>;

    constructor(name: string, args: AwsAccessArgs, opts?: pulumi.ComponentResourceOptions) {
        super("player-predictions:aws:AwsAccess", name, {}, opts);
        const { tags } = args;
        // Tokens of version 1, which managed identities get for an app registration that says so.
        const issuer = pulumi.interpolate`https://sts.windows.net/${args.tenantId}/`;

        this.audience = pulumi.output(args.existingAudience ?? this.registerAudience(name));
        const providerArn = pulumi.output(
            args.existingProviderArn ??
                new iam.OpenIdConnectProvider(`${name}-entra`, { url: issuer, clientIdLists: [this.audience], tags }, { parent: this }).arn,
        );
        const trust = { providerArn, issuer, audience: this.audience, subject: args.principalId };
        const role = new iam.Role(
            `${name}-role`,
            {
                description: "Handlers of player-predictions on Azure: read the player logs, sign in to the database",
                assumeRolePolicy: pulumi.output(trust).apply(trustPolicy),
                tags,
            },
            { parent: this },
        );
        const { bucketArn, prefix, databaseUserArn } = args;
        new iam.RolePolicy(
            `${name}-policy`,
            { role: role.name, policy: pulumi.output({ bucketArn, prefix, databaseUserArn }).apply(accessPolicy) },
            { parent: this },
        );

        this.roleArn = role.arn;
        this.registerOutputs({ roleArn: this.roleArn, audience: this.audience });
    }

    /** An app registration that is nothing but an audience: no secret, no permissions. */
    private registerAudience(name: string): pulumi.Output<string> {
        const application = new Application(
            `${name}-audience`,
            { displayName: name, signInAudience: "AzureADMyOrg", api: { requestedAccessTokenVersion: 1 } },
            // Its URI holds its own client id, so it is a resource of its own.
            { parent: this, ignoreChanges: ["identifierUris"] },
        );
        const uri = new ApplicationIdentifierUri(
            `${name}-audience-uri`,
            { applicationId: application.id, identifierUri: pulumi.interpolate`api://${application.clientId}` },
            { parent: this },
        );
        // Entra issues tokens for an audience through its service principal in the tenant.
        new ServicePrincipal(`${name}-audience-principal`, { clientId: application.clientId }, { parent: this });
        return uri.identifierUri;
    }
}
