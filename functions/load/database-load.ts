import { ExponentialBackoff, handleWhen, retry } from "cockatiel";
import type { Readable } from "node:stream";
import type { Database } from "../clients/database";
import { DatabaseError } from "../clients/database-errors";
import type { Session } from "../clients/database-session";
import { complete, enter, type FileVersion, isCachePending, type LoadCounts } from "./ledger";
import { readRows } from "./predictions-file";
import type { Rejects } from "./rejects";
import { RowSet } from "./row-set";
import { Staging } from "./staging";
import { ensureTables } from "./tables";

/** What the database has of a version of a file. */
export interface DatabaseLoad {
    /** Undefined when it was loaded before. */
    readonly counts?: LoadCounts;
    /** The rows that the cache lacks: undefined when it has them all, else every row of the file but these, which are older than the database. */
    readonly outdated?: RowSet;
}

/** What is needed for it. */
export interface DatabaseLoadParts {
    readonly database: Database;
    readonly open: () => Promise<Readable>;
    /** Where the rows go that are set aside; made anew for each try. */
    readonly rejects: () => Rejects;
    readonly now: () => Date;
    /** Told of each step that has an effect, once it is done. */
    readonly step: (name: string, facts?: object) => void;
    /** Told why all is done again. */
    readonly onRetry: (error: unknown) => void;
    /** Wait before the second try, in milliseconds; it doubles from try to try, with jitter. */
    readonly retryDelayMs: number;
}

/** Tries after the first: contention is over by then. A failover takes a minute or two, for which there are the queue's deliveries. */
const retries = 3;

/**
 * Loads a version of a file exactly once: its rows and its ledger row are one transaction. The ledger row comes first, so that a second
 * delivery of the same version waits for the first one's end instead of doing the work twice. Deadlocks, lost connections and
 * a server that became read-only have all of it done again, on another connection.
 *
 * @throws DatabaseError, or what reading the file throws
 */
export function loadIntoDatabase(version: FileVersion, parts: DatabaseLoadParts): Promise<DatabaseLoad> {
    const policy = retry(
        handleWhen((error) => error instanceof DatabaseError && error.retryable),
        { maxAttempts: retries, backoff: new ExponentialBackoff({ initialDelay: parts.retryDelayMs, maxDelay: 16 * parts.retryDelayMs }) },
    );
    policy.onRetry((reason) => parts.onRetry("error" in reason ? reason.error : undefined));
    return policy.execute(() => parts.database.session((session) => loadOnce(session, version, parts)));
}

async function loadOnce(session: Session, version: FileVersion, { open, rejects, now, step }: DatabaseLoadParts): Promise<DatabaseLoad> {
    await ensureTables(session);
    const staging = await Staging.create(session);
    let allTaken = false;
    const counts = await session.transaction(async () => {
        if (!(await enter(session, version, now()))) {
            return undefined;
        }
        const counted = await stage(staging, await open(), rejects());
        step("staged", { ...counted, way: staging.way });
        allTaken = await staging.merge();
        await complete(session, version, counted, now());
        step("merged");
        return counted;
    });
    if (counts !== undefined) {
        step("committed");
    } else if (await isCachePending(session, version)) {
        // Its rows are in the database, but for those that a later load has made newer: which these are can only be told from the file.
        await stage(staging, await open());
    } else {
        await staging.drop();
        return {};
    }
    const outdated = allTaken ? new RowSet() : await staging.outdated();
    await staging.drop();
    return { ...(counts && { counts }), outdated };
}

/** Brings the file's rows into the staging table, and those that are none to the set-aside ones. */
async function stage(staging: Staging, body: Readable, rejects?: Rejects): Promise<LoadCounts> {
    let rejectedRows = 0;
    for await (const { good, rejected } of readRows(body)) {
        await staging.add(good);
        await rejects?.add(rejected);
        rejectedRows += rejected.length;
    }
    await staging.finish();
    await rejects?.finish();
    return { rows: staging.count, rejected: rejectedRows };
}
