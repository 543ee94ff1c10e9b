import { dataHolderOf } from "../infra/data-holders";
import type { Change } from "./change";

/** What is lost where a change removes something that holds data; undefined where none is. */
export function dataLostBy({ type, action, before }: Change): string | undefined {
    const removed = (action === "delete" || action === "replace") && before?.retained !== true;
    return removed ? dataHolderOf(type)?.lost : undefined;
}
