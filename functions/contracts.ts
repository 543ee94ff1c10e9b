/**
 * Names that the program and the handlers must agree on. They are part of the deployed shape, not settings: the program creates
 * what the handlers use under the very same constant.
 */

/** Blob containers of the lake account. */
export const containers = {
    /** Player logs, copied from S3 under the same keys. */
    logs: "logs",
    /** Output of the batch jobs, a folder a job. */
    predictions: "predictions",
    /** One small state blob a batch: which folder was submitted as which job. */
    batches: "batches",
    /** What each run of `ingest` did, the lock that has them run one at a time, and what `drift` found. */
    runs: "runs",
    /** What two models made of the same or of other players: JSON Lines, a folder a day. */
    comparisons: "comparisons",
    /** Calls of the online endpoint, kept to ask the next model the same: JSON Lines, a folder a day. */
    requests: "requests",
    /** Models that a retraining made, for a person to look at: a folder a job below `candidatesFolder`. */
    models: "models",
    /** Events that Event Grid could not deliver. */
    deadLetters: "dead-letters",
} as const;

/** Storage queues of the lake account. The host moves what fails five times to `<queue>-poison`. */
export const queues = {
    /** A folder of `logs` is complete: its `_SUCCESS` was written. */
    foldersReady: "folders-ready",
    /** A file of `predictions` was written. */
    predictionsReady: "predictions-ready",
    /** A job of the Azure ML workspace is in another state. Only sent where the stack makes the workspace. */
    jobsChanged: "jobs-changed",
} as const;

/** Functions that a timer starts. */
export const timers = ["ingest", "reconcile", "drift", "retrain"] as const;

/** Suffix that the Functions host gives to the queue of messages that failed too often. */
export const poisonSuffix = "-poison";

/** The marker that completes a folder: the convention of Hadoop, Hive and Spark. */
export const successMarker = "_SUCCESS";

/** Suffix of the batch output files that `load` takes; set-aside rows are written under `rejectedSuffix`, so they raise no load. */
export const predictionFileSuffix = ".csv";

/** Suffix of the file of set-aside rows (JSON Lines of line, reason and the row), beside the file that they came from. */
export const rejectedSuffix = ".rejected.jsonl";

/** Folder, beside the output files of a batch job, of the counts of their players: a file of JSON an output file, and that of the training. */
export const statisticsFolder = "_statistics";
export const trainingStatisticsFile = "training.json";

/** The metric that the alert of the drift looks at: 1 for a column that has drifted, 0 for another, with the column's name as an attribute. */
export const driftMetric = { name: "drift.drifted", column: "column" } as const;

/** Folder, beside the output files of a batch job, of what it says of each input file; `ml/batch_score.py` writes it. */
export const summariesFolder = "_summaries";

/** Folder of `models` in which each retraining has a folder by the name of its job. */
export const candidatesFolder = "candidates";

/** Prefix of the app settings that make up the identity-based connection of the queue triggers to the lake. */
export const lakeConnection = "Lake";
