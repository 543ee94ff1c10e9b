import * as authorization from "@pulumi/azure-native/authorization";
import * as managedidentity from "@pulumi/azure-native/managedidentity";
import * as pulumi from "@pulumi/pulumi";
import { AwsAccess } from "./aws/access";
import { lookUpStudio } from "./aws/studio";
import { Cache } from "./cache/cache";
import { DatabasePassword } from "./handlers/database-password";
import { Handlers } from "./handlers/handlers";
import type { HandlerPackage } from "./handlers/package";
import { currentPackage } from "./handlers/package-cache";
import { checkPromotions } from "./handlers/promotions";
import { Lake } from "./lake/lake";
import { existingEndpoints } from "./models/endpoints";
import { Models } from "./models/models";
import { Monitoring } from "./monitoring/monitoring";
import { letIntoDatabase } from "./network/database-access";
import { makeNetwork } from "./network/network";
import { outputsOf } from "./outputs";
import { resourceGroup } from "./resource-group";
import { Runtime } from "./runtime/runtime";
import { readStackSettings } from "./settings";
import { disabledTimers, wireHandlers } from "./wiring";

/** What the program takes from outside its configuration. */
export interface ProgramContext {
    /** @default bundles `functions/` */
    readonly package?: HandlerPackage;
    /**
     * Azure Resource Manager's address, without a slash at its end.
     * @default that of the public cloud
     */
    readonly managementEndpoint?: string;
    /** @default the present */
    readonly now?: Date;
}

/** The whole stack: the studio's systems looked up, the parts in their order, the outputs. */
export async function program(context: ProgramContext = {}): Promise<pulumi.Inputs> {
    const settings = readStackSettings();
    checkPromotions();
    // Bundled, where it has to be, by another process while the other parts are registered.
    const handlerPackage = context.package ?? currentPackage();
    const { now = new Date(), managementEndpoint = "https://management.azure.com" } = context;
    const { namePrefix: prefix, location, databaseSignIn } = settings;
    const tags = { ...settings.tags, project: pulumi.getProject(), stack: pulumi.getStack(), profile: settings.profile };
    const { tenantId } = authorization.getClientConfigOutput();
    const studio = lookUpStudio({
        region: settings.awsRegion,
        bucket: settings.sourceBucket,
        databaseInstance: settings.databaseInstance,
        databaseUser: settings.databaseUser,
    });

    const groupName = resourceGroup(prefix, { existing: settings.existingResourceGroup, location, tags, protect: settings.protectData });
    const inGroup = { resourceGroupName: groupName, tags };
    const identity = new managedidentity.UserAssignedIdentity(`${prefix}-handlers`, inGroup);
    const { principalId } = identity;
    const network = makeNetwork(`${prefix}-network`, { ...inGroup, settings });
    const databaseRule = letIntoDatabase(`${prefix}-database-access`, { studio, egressAddress: network?.egressAddress, settings, tags });
    const part = { ...inGroup, protectData: settings.protectData, privateLink: network?.privateLink };

    const monitoring = new Monitoring(`${prefix}-monitoring`, {
        ...part,
        retentionDays: settings.logRetentionDays,
        existingWorkspaceId: settings.existingLogWorkspaceId,
        alertEmail: settings.alertEmail,
    });
    const runtime = new Runtime(`${prefix}-runtime`, { ...part, sku: settings.runtimeSku });
    const lake = new Lake(`${prefix}-lake`, { ...part, sku: settings.lakeSku });
    const cache = new Cache(`${prefix}-cache`, {
        ...part,
        sku: settings.redisSku,
        highAvailability: settings.redisHighAvailability,
        principalId,
    });
    const endpoints = settings.existingEndpoints
        ? existingEndpoints(settings.existingEndpoints)
        : new Models(`${prefix}-ml`, { ...part, tenantId, insightsId: monitoring.insightsId, runtime, lake, callerPrincipalId: principalId, computeSubnetId: network?.computeSubnetId, settings });
    const aws = new AwsAccess(`${prefix}-aws`, {
        tenantId,
        principalId,
        bucketArn: studio.bucketArn,
        prefix: settings.sourcePrefix,
        databaseUserArn: databaseSignIn.auth === "iam" ? studio.databaseUserArn : undefined,
        existingAudience: settings.awsTokenAudience,
        existingProviderArn: settings.awsOidcProviderArn,
        tags,
    });
    const password =
        databaseSignIn.auth === "password"
            ? new DatabasePassword(`${prefix}-db`, { ...part, tenantId, principalId, password: databaseSignIn.password, existingVaultId: settings.existingKeyVaultId })
            : undefined;
    const handlers = new Handlers(`${prefix}-handlers`, {
        ...inGroup,
        location,
        subnetId: network?.functionSubnetId,
        identity,
        lake,
        runtime,
        monitoring,
        package: await handlerPackage,
        appSettings: wireHandlers({ managementEndpoint, settings, identity, lake, cache, endpoints, studio, aws, insightsConnectionString: monitoring.connectionString, databasePassword: password?.reference ?? "" }),
        disabled: disabledTimers(settings),
        prerequisites: [lake, runtime, cache, endpoints, aws, password, network, databaseRule].filter((each) => each instanceof pulumi.Resource),
        scale: settings,
        now,
    });
    return outputsOf({ groupName, network, lake, handlers, aws, endpoints });
}
