/** Columns of a batch output file, each once, in any order. */
export const fileColumns = [
    "player_id",
    "churn_label",
    "churn_probability",
    "purchase_label",
    "purchase_probability",
    "segment_id",
    "segment_name",
    "model_version",
    "scored_at",
    "inputs_fingerprint",
] as const;

export type FileColumn = (typeof fileColumns)[number];

/** Columns of `player_predictions`, and of the table in which a file is staged: those of the file, less the one that only the cache needs. */
export const tableColumns = fileColumns.filter((column) => column !== "inputs_fingerprint");
