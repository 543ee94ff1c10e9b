import type { AppSettings } from "../../../functions/settings";

/** Nothing listens there: the parts that the hot path does not need are down. */
const nowhere = "https://127.0.0.1:9";

/** What a hot path under test is connected to. */
export interface HotPathParts {
    readonly clientId: string;
    /** Redis' name for the identity. */
    readonly principalId: string;
    readonly redisPort: number;
    /** Scoring URI. */
    readonly modelUrl: string;
    readonly modelVersion: string;
}

/** App settings of a package whose hot path alone is at work. */
export function hotAppSettings(parts: HotPathParts, change: Partial<AppSettings> = {}): AppSettings {
    return {
        AZURE_CLIENT_ID: parts.clientId,
        Lake__blobServiceUri: `${nowhere}/lake`,
        Lake__queueServiceUri: `${nowhere}/lake`,
        Lake__credential: "managedidentity",
        Lake__clientId: parts.clientId,
        RECONCILE_SCHEDULE: "0 0 0 1 1 *",
        DRIFT_SCHEDULE: "0 0 0 1 1 *",
        DRIFT_PSI_LIMIT: "0.2",
        DRIFT_UNSEEN_LIMIT: "0.01",
        RETRAIN_SCHEDULE: "0 0 0 1 1 *",
        INGEST_SCHEDULE: "0 0 0 1 1 *",
        AWS_REGION: "eu-central-1",
        AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/handlers",
        AWS_TOKEN_AUDIENCE: "api://player-predictions",
        STS_ENDPOINT: nowhere,
        S3_ENDPOINT: nowhere,
        SOURCE_BUCKET: "logs",
        SOURCE_PREFIX: "",
        BATCH_SCORING_URI: `${nowhere}/jobs`,
        BATCH_DEPLOYMENT: "blue",
        TRAINING_FOLDER: "",
        TRAINING_JOBS_URI: "",
        TRAINING_CODE: "",
        TRAINING_ENVIRONMENT: "",
        TRAINING_COMPUTE: "",
        TRAINING_IDENTITY: "",
        TRAINING_CURRENT_MODEL: "",
        TRAINING_CANDIDATES: "",
        TRAINING_SEARCH_SECONDS: "0",
        BATCH_OUTPUT_DATASTORE: "/subscriptions/s",
        ONLINE_SCORING_URI: parts.modelUrl,
        ONLINE_DEPLOYMENT: "blue",
        MODEL_VERSION: parts.modelVersion,
        CHALLENGER_DEPLOYMENT: "",
        CHALLENGER_VERSION: "",
        CHALLENGER_MODE: "shadow",
        CHALLENGER_PERCENT: "0",
        RECORD_PERCENT: "0",
        MODEL_MAX_CALLS: "4",
        MODEL_BATCH_PLAYERS: "100",
        REDIS_HOST: "127.0.0.1",
        REDIS_PORT: String(parts.redisPort),
        REDIS_USERNAME: parts.principalId,
        PREDICTION_FRESH_SECONDS: "3600",
        BATCH_FRESH_SECONDS: "93600",
        PREDICTION_KEEP_SECONDS: "86400",
        HOT_PLAYERS: "0",
        HOT_PLAYERS_TTL_MS: "1000",
        REQUEST_DEADLINE_MS: "1000",
        APPLICATIONINSIGHTS_CONNECTION_STRING: "",
        DATABASE_HOST: "127.0.0.1",
        DATABASE_PORT: "9",
        DATABASE_NAME: "studio",
        DATABASE_USER: "handlers",
        DATABASE_AUTH: "password",
        DATABASE_PASSWORD: "none",
        ...change,
    };
}
