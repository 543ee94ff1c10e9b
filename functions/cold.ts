import type { TokenCredential } from "@azure/identity";
import type { Meter } from "@opentelemetry/api";
import { createAwsCredentials } from "./clients/aws-credentials";
import { createLedger } from "./batches/ledger";
import { type BatchQuery, findBatches } from "./batches/list";
import { createBatchEndpoint } from "./clients/batch-endpoint";
import type { PredictionCache } from "./clients/cache";
import { createCommandJobs } from "./clients/command-jobs";
import { createDatabase } from "./clients/database";
import { createLake } from "./clients/lake";
import { createQueues } from "./clients/queues";
import { createSourceBucket } from "./clients/source-bucket";
import { checkDrift } from "./drift/check";
import { recordDrift } from "./drift/metrics";
import type { BlobCreated } from "./events/blob-created";
import { ingest } from "./ingest/ingest";
import { loadPredictions, type LoadParts, repairCache } from "./load/load";
import { once } from "./once";
import type { AppendFiles } from "./predict/json-lines-log";
import { jobChanged } from "./reconcile/job-changed";
import { reconcile } from "./reconcile/reconcile";
import { tellOfTraining } from "./retrain/outcome";
import { retrain } from "./retrain/retrain";
import { isTrainingJob } from "./retrain/training-job";
import { scoreReadyFolder } from "./score/score";
import type { Settings } from "./settings";

/** What the cold path shares with the hot path of its process. */
export interface SharedServices {
    readonly settings: () => Settings;
    readonly credential: () => TokenCredential;
    readonly cache: () => PredictionCache;
}

type Log = (line: string) => void;

/** Files that a run of `reconcile` brings into a cache that lacks them: a minute's work or two. */
const repairsAReconcile = 20;

/**
 * The cold path with the outside systems that nobody else needs. Their clients are two thirds of the handlers' code, and so this is a file
 * of its own in the package: an instance that answers requests does not wait for it.
 */
export function createColdPath({ settings, credential, cache }: SharedServices) {
    const now = () => new Date();
    const awsCredentials = once(() => createAwsCredentials(settings(), credential()));
    const batchEndpoint = once(() => createBatchEndpoint(settings(), credential()));
    const commandJobs = once(() => createCommandJobs(settings().TRAINING_JOBS_URI, credential()));
    const lake = once(() => createLake(settings(), credential()));
    const queues = once(() => createQueues(settings(), credential()));
    const sourceBucket = once(() => createSourceBucket(settings(), awsCredentials()));
    const database = once(() => createDatabase(settings(), awsCredentials()));
    const ledger = once(() => createLedger(database()));
    const reconcileParts = (log: Log) => ({
        lake: lake(),
        queues: queues(),
        endpoint: batchEndpoint(),
        ledger: ledger(),
        now,
        log,
    });
    const loadParts = (log: LoadParts["log"]): LoadParts => ({
        lake: lake(),
        database: database(),
        cache: cache(),
        freshSeconds: settings().BATCH_FRESH_SECONDS,
        now,
        log,
    });

    return {
        ingest: ({ log, trace }: { readonly log: Log; readonly trace: Log }) => ingest({ source: sourceBucket(), lake: lake(), now, log, trace }),

        score: (marker: BlobCreated, replayed: number | undefined, log: Log) =>
            scoreReadyFolder(marker, { lake: lake(), queues: queues(), endpoint: batchEndpoint(), now, log }, replayed),

        /** Then the cache gets what it lacks: after the last load of a day nobody else would see to it. */
        reconcile: async (log: LoadParts["log"]) => {
            try {
                await reconcile(reconcileParts((line) => log.log(line)));
            } finally {
                await repairCache(loadParts(log), repairsAReconcile);
            }
        },

        jobChanged: (job: string, { log, error }: { readonly log: Log; readonly error: Log }) =>
            isTrainingJob(job) && settings().TRAINING_JOBS_URI !== ""
                ? tellOfTraining(job, { lake: lake(), jobs: commandJobs(), log, error })
                : jobChanged(job, reconcileParts(log)),

        retrain: (log: Log) => retrain({ settings: settings(), lake: lake(), jobs: commandJobs(), log }),

        drift: (meter: Meter, log: Log) =>
            checkDrift({
                lake: lake(),
                modelVersion: settings().MODEL_VERSION,
                limits: { psi: settings().DRIFT_PSI_LIMIT, unseen: settings().DRIFT_UNSEEN_LIMIT },
                record: (report) => recordDrift(meter, report),
                log,
            }),

        batches: (query: BatchQuery, warn: (error: unknown) => void) => findBatches({ lake: lake(), ledger: ledger(), warn }, query),

        load: (file: BlobCreated, log: LoadParts["log"]) => loadPredictions(file, loadParts(log)),

        appendFiles: (container: string): AppendFiles => ({
            create: (path) => lake().createAppendable(container, path, "application/x-ndjson"),
            append: (path, text) => lake().append(container, path, text),
        }),

        /** Each fails when that system is down. */
        ping: {
            lake: () => lake().ping(),
            database: () => database().ping(),
            sourceBucket: () => sourceBucket().ping(),
        },
    } as const;
}
