import promotions from "../../ml/promotions.json";

/** Names of segments to what their players are to be offered. The program checks the file before it deploys it. */
const bySegment: ReadonlyMap<string, string | null> = new Map(Object.entries<string | null>(promotions));

/** What the players of a segment are to be offered; null where `ml/promotions.json` has nothing for its name. */
export function promotionOf(segmentName: string): string | null {
    return bySegment.get(segmentName) ?? null;
}
