import type * as managedidentity from "@pulumi/azure-native/managedidentity";
import * as pulumi from "@pulumi/pulumi";
import type { AwsAccess } from "./aws/access";
import type { Studio } from "./aws/studio";
import type { Cache } from "./cache/cache";
import type { HandlerSettings } from "./handlers/app-settings";
import type { Lake } from "./lake/lake";
import type { Endpoints } from "./models/endpoints";
import type { StackSettings } from "./settings";

export interface HandlerWiring {
    /** Azure Resource Manager's address, without a slash at its end. */
    readonly managementEndpoint: string;
    readonly settings: StackSettings;
    readonly identity: managedidentity.UserAssignedIdentity;
    readonly lake: Lake;
    readonly cache: Cache;
    readonly endpoints: Endpoints;
    readonly studio: Studio;
    readonly aws: AwsAccess;
    /** Address of Application Insights; no secret. */
    readonly insightsConnectionString: pulumi.Input<string>;
    /** Reference to the password; the empty text under IAM authentication. */
    readonly databasePassword: pulumi.Input<string>;
}

/** Where each part is, in the words of the handlers' settings. */
export function wireHandlers(wiring: HandlerWiring): HandlerSettings {
    const { managementEndpoint, settings, identity, lake, cache, endpoints, studio, aws, insightsConnectionString, databasePassword } = wiring;
    return {
        AZURE_CLIENT_ID: identity.clientId,

        Lake__blobServiceUri: lake.blobEndpoint,
        Lake__queueServiceUri: lake.queueEndpoint,
        Lake__credential: "managedidentity",
        Lake__clientId: identity.clientId,

        INGEST_SCHEDULE: settings.ingestSchedule,
        RECONCILE_SCHEDULE: settings.reconcileSchedule,
        DRIFT_SCHEDULE: settings.driftSchedule,
        // Not running it by itself is the host's (`disabledTimers`), which wants a schedule all the same: https://github.com/Azure/azure-functions-host/issues/10346
        RETRAIN_SCHEDULE: settings.retrainSchedule ?? "0 0 0 1 1 *",

        DRIFT_PSI_LIMIT: String(settings.driftPsiLimit),
        DRIFT_UNSEEN_LIMIT: String(settings.driftUnseenLimit),

        AWS_REGION: settings.awsRegion,
        AWS_ROLE_ARN: aws.roleArn,
        AWS_TOKEN_AUDIENCE: aws.audience,
        STS_ENDPOINT: studio.stsEndpoint,
        S3_ENDPOINT: studio.s3Endpoint,
        SOURCE_BUCKET: settings.sourceBucket,
        SOURCE_PREFIX: settings.sourcePrefix,

        BATCH_SCORING_URI: endpoints.batchScoringUri,
        BATCH_DEPLOYMENT: endpoints.batchDeployment,
        BATCH_OUTPUT_DATASTORE: endpoints.outputDatastore,

        ...trainingSettings(settings, endpoints, managementEndpoint),

        ONLINE_SCORING_URI: endpoints.onlineScoringUri,
        ONLINE_DEPLOYMENT: endpoints.onlineDeployment,
        MODEL_VERSION: endpoints.modelVersion,
        CHALLENGER_DEPLOYMENT: endpoints.challenger?.deployment ?? "",
        CHALLENGER_VERSION: endpoints.challenger?.modelVersion ?? "",
        CHALLENGER_MODE: settings.challengerMode,
        CHALLENGER_PERCENT: String(settings.challengerPercent),
        RECORD_PERCENT: String(settings.recordPercent),
        // Azure ML works on one share and lets another wait; beyond that it answers 429
        // (https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints#http-429-too-many-requests).
        MODEL_MAX_CALLS: String(2 * settings.onlineMaxConcurrentRequests * settings.onlineInstanceCount),
        MODEL_BATCH_PLAYERS: String(settings.onlineBatchPlayers),

        REDIS_HOST: cache.hostName,
        REDIS_PORT: pulumi.interpolate`${cache.port}`,
        REDIS_USERNAME: identity.principalId,
        PREDICTION_FRESH_SECONDS: String(settings.predictionFreshSeconds),
        BATCH_FRESH_SECONDS: String(settings.batchFreshSeconds),
        PREDICTION_KEEP_SECONDS: String(settings.predictionKeepSeconds),
        HOT_PLAYERS: String(settings.hotPlayers),
        HOT_PLAYERS_TTL_MS: String(settings.hotPlayersTtlMs),
        REQUEST_DEADLINE_MS: String(settings.requestDeadlineMs),

        APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString,

        DATABASE_HOST: studio.databaseHost,
        DATABASE_PORT: pulumi.interpolate`${studio.databasePort}`,
        DATABASE_NAME: settings.databaseName,
        DATABASE_USER: settings.databaseUser,
        DATABASE_AUTH: settings.databaseSignIn.auth,
        DATABASE_PASSWORD: databasePassword,
    };
}

function trainingSettings({ trainingFolder, retrainSearchSeconds }: StackSettings, { training }: Endpoints, managementEndpoint: string) {
    return {
        TRAINING_FOLDER: trainingFolder ?? "",
        TRAINING_JOBS_URI: training ? pulumi.interpolate`${managementEndpoint}${training.workspaceId}/jobs` : "",
        TRAINING_CODE: training?.codeId ?? "",
        TRAINING_ENVIRONMENT: training?.environmentId ?? "",
        TRAINING_COMPUTE: training?.computeId ?? "",
        TRAINING_IDENTITY: training?.identityClientId ?? "",
        TRAINING_CURRENT_MODEL: training?.currentModel ?? "",
        TRAINING_CANDIDATES: training?.candidates ?? "",
        TRAINING_SEARCH_SECONDS: String(retrainSearchSeconds),
    };
}

/** The timers that do not run by themselves; a person still can run them. */
export function disabledTimers({ trainingFolder, retrainSchedule }: Pick<StackSettings, "trainingFolder" | "retrainSchedule">): string[] {
    return trainingFolder === undefined || retrainSchedule === undefined ? ["retrain"] : [];
}
