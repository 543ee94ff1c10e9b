import type { Connection } from "mysql2/promise";

/**
 * Inserts predictions one statement a row, its values written into its text, in one transaction: what a handler without any of this project's
 * means would do. @returns seconds
 */
export async function rowByRow(connection: Connection, players: number): Promise<number> {
    const scoredAt = new Date();
    const startedAt = performance.now();
    await connection.beginTransaction();
    for (let player = 0; player < players; player += 1) {
        const row = [String(100_000_000 + player), true, 0.75, false, 0.25, 1, "Weekend players", "0123456789ab", scoredAt];
        await connection.query(
            `INSERT INTO player_predictions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE
                churn_label = VALUES(churn_label), churn_probability = VALUES(churn_probability),
                purchase_label = VALUES(purchase_label), purchase_probability = VALUES(purchase_probability),
                segment_id = VALUES(segment_id), segment_name = VALUES(segment_name),
                model_version = VALUES(model_version), scored_at = VALUES(scored_at)`,
            row,
        );
    }
    await connection.commit();
    return (performance.now() - startedAt) / 1_000;
}
