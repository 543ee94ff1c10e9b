/** Rows of cells as lines whose columns stand below each other. */
export function textTable(rows: readonly (readonly string[])[]): string[] {
    const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
    return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd());
}

/** A share, from 0 to 1, in hundredths. */
export function percent(share: number): string {
    return `${(100 * share).toFixed(2)} %`;
}
