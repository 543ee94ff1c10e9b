import * as z from "zod";

/**
 * Every app setting that a handler reads, under its name in the Function App. The program must provide each of them to compile
 * (`AppSettings`), and a handler that finds one missing or wrong stops at start-up with its name.
 *
 * Queue triggers read `Lake__*` through the host as well: the names are those of an identity-based connection
 * (https://learn.microsoft.com/azure/azure-functions/functions-reference#configure-an-identity-based-connection).
 */
const schema = z.object({
    /** Client id of the user-assigned identity that the handlers run as. */
    AZURE_CLIENT_ID: z.string().min(1),

    /** Blob endpoint of the lake account. */
    Lake__blobServiceUri: z.url(),
    /** Queue endpoint of the lake account. */
    Lake__queueServiceUri: z.url(),
    Lake__credential: z.literal("managedidentity"),
    Lake__clientId: z.string().min(1),

    /** When `ingest` runs: an NCRONTAB expression of six fields, UTC. */
    INGEST_SCHEDULE: z.string().min(1),
    /** When `reconcile` runs, likewise. */
    RECONCILE_SCHEDULE: z.string().min(1),
    /** When `drift` runs, likewise. */
    DRIFT_SCHEDULE: z.string().min(1),
    /** When `retrain` runs, likewise. */
    RETRAIN_SCHEDULE: z.string().min(1),

    /** Population stability index above which a column of the day's players has drifted. */
    DRIFT_PSI_LIMIT: z.coerce.number().positive(),
    /** Share of players, from 0 to 1, with a category unseen in training, above which it has. */
    DRIFT_UNSEEN_LIMIT: z.coerce.number().positive().max(1),

    /** Region of the bucket and of STS. */
    AWS_REGION: z.string().min(1),
    /** Role that the identity assumes in AWS. */
    AWS_ROLE_ARN: z.string().startsWith("arn:"),
    /** Audience of the Entra token that AWS trusts, such as `api://<client id>`. */
    AWS_TOKEN_AUDIENCE: z.string().min(1),
    /** Endpoint of STS in the region. */
    STS_ENDPOINT: z.url(),
    /** Endpoint of S3 in the region. */
    S3_ENDPOINT: z.url(),
    /** Bucket of the player logs. */
    SOURCE_BUCKET: z.string().min(1),
    /** Prefix of the player logs in the bucket; the empty string takes the whole bucket. */
    SOURCE_PREFIX: z.string(),

    /** Scoring URI of the batch endpoint: jobs are posted to it and read under it. */
    BATCH_SCORING_URI: z.url(),
    /** Batch deployment, sent as the `azureml-model-deployment` header. */
    BATCH_DEPLOYMENT: z.string().min(1),
    /** ARM id of the Azure ML datastore over the lake's `predictions` container: where the jobs write. */
    BATCH_OUTPUT_DATASTORE: z.string().startsWith("/subscriptions/"),

    /** Folder of `logs` with the players that models are trained on; the empty string where nothing is retrained, as then are the next seven. */
    TRAINING_FOLDER: z.string(),
    /** URL of the workspace's jobs: a job is put and read below it. */
    TRAINING_JOBS_URI: z.url().or(z.literal("")),
    /** ARM ids of what a job runs: code, environment and cluster. */
    TRAINING_CODE: z.string(),
    TRAINING_ENVIRONMENT: z.string(),
    TRAINING_COMPUTE: z.string(),
    /** Client id of the cluster's identity, which reads the players and writes the candidate. */
    TRAINING_IDENTITY: z.string(),
    /** Address in a datastore of the model in service, which a candidate is compared with. */
    TRAINING_CURRENT_MODEL: z.string(),
    /** Address in a datastore of the folder `candidatesFolder` of `models`. */
    TRAINING_CANDIDATES: z.string(),
    /** For how long a training looks for better settings of the models, in seconds; 0 takes the settings as they are. */
    TRAINING_SEARCH_SECONDS: z.coerce.number().int().min(0),

    /** Scoring URI of the online endpoint. */
    ONLINE_SCORING_URI: z.url(),
    /** Online deployment, sent as the `azureml-model-deployment` header. */
    ONLINE_DEPLOYMENT: z.string().min(1),
    /** Version of the deployed model: stored predictions of another version count as stale. */
    MODEL_VERSION: z.string().min(1).max(17),
    /** Online deployment of the model that is tried beside, and its version; empty strings where there is none. */
    CHALLENGER_DEPLOYMENT: z.string(),
    CHALLENGER_VERSION: z.string().max(17),
    /** `shadow`: its predictions are kept for the comparison alone. `share`: it answers its share of the players. */
    CHALLENGER_MODE: z.enum(["shadow", "share"]),
    /** Share of the players, by a hash of their id, that it predicts. */
    CHALLENGER_PERCENT: z.coerce.number().int().min(0).max(100),
    /** Share of the calls of the online endpoint that are recorded, to check the next model with them. */
    RECORD_PERCENT: z.coerce.number().int().min(0).max(100),
    /** Most calls of the online endpoint that a process has in flight: Azure ML refuses more than it has room for. */
    MODEL_MAX_CALLS: z.coerce.number().int().positive(),
    /** A call that has this many players takes in no further request. The players of one request are never split. */
    MODEL_BATCH_PLAYERS: z.coerce.number().int().positive(),

    REDIS_HOST: z.string().min(1),
    REDIS_PORT: z.coerce.number().int().positive(),
    /** Object id of the identity: the user name under Entra authentication. */
    REDIS_USERNAME: z.string().min(1),
    /** For how long a prediction that was made for a request counts as fresh, in seconds: its inputs may change any time. */
    PREDICTION_FRESH_SECONDS: z.coerce.number().int().positive(),
    /** For how long a prediction of a batch counts as fresh, in seconds: until the next batch has been loaded. */
    BATCH_FRESH_SECONDS: z.coerce.number().int().positive(),
    /** For how long a stored prediction is kept as an answer for when the model is not there, in seconds. */
    PREDICTION_KEEP_SECONDS: z.coerce.number().int().positive(),
    /** Most players that a process keeps in its own memory before Redis; 0 keeps none. */
    HOT_PLAYERS: z.coerce.number().int().min(0),
    /** For how long it keeps a player there, in milliseconds: how much older than Redis an answer may be. */
    HOT_PLAYERS_TTL_MS: z.coerce.number().int().min(1).max(2_000),
    /** Longest time for a whole prediction request, in milliseconds. */
    REQUEST_DEADLINE_MS: z.coerce.number().int().positive(),

    /** Where metrics are sent to, as the identity; the empty string sends none. It has no secret. */
    APPLICATIONINSIGHTS_CONNECTION_STRING: z.string(),

    /** The studio's MySQL. */
    DATABASE_HOST: z.string().min(1),
    DATABASE_PORT: z.coerce.number().int().positive(),
    DATABASE_NAME: z.string().min(1),
    DATABASE_USER: z.string().min(1),
    /** `iam`: an RDS token a connection. `password`: for a server without IAM authentication. */
    DATABASE_AUTH: z.enum(["iam", "password"]),
    /** The password, delivered through a Key Vault reference; the empty string under `iam`. */
    DATABASE_PASSWORD: z.string(),
});

/** The handlers' settings, checked and typed. */
export type Settings = z.infer<typeof schema>;

/** The app settings as the program must give them: every name, as text. */
export type AppSettings = { readonly [name in keyof Settings]: string };

/** The names of the settings, for checks that the program provides each. */
export const settingNames = Object.keys(schema.shape) as (keyof Settings)[];

/** A setting is missing or wrong. */
export class SettingsError extends Error {
    override readonly name = "SettingsError";
}

/**
 * Reads the settings from the process's environment: the only place where handlers do.
 *
 * @throws SettingsError naming each wrong setting, its value (never that of a password) and what was expected.
 */
export function readSettings(environment: Record<string, string | undefined> = process.env): Settings {
    const parsed = schema.safeParse(environment);
    if (parsed.success) {
        return parsed.data;
    }
    const lines = parsed.error.issues.map((issue) => {
        const name = String(issue.path[0]);
        const value = environment[name];
        const shown = value === undefined ? "is missing" : name.endsWith("PASSWORD") ? "has a wrong value" : `is ${JSON.stringify(value)}`;
        return `app setting ${name} ${shown}: ${issue.message}`;
    });
    throw new SettingsError(lines.join("\n"));
}
