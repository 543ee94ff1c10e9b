import type { ContainerClient } from "@azure/storage-blob";
import { type BatchEndpoint, createBatchEndpoint } from "../../../functions/clients/batch-endpoint";
import type { BatchState } from "../../../functions/batches/state";
import { type BlobCreated, parseBlobCreated } from "../../../functions/events/blob-created";
import { type BatchServer, jobBody, startBatchServer } from "./batch-server";
import { eventOf } from "./events";
import type { ColdParts } from "./parts";

export const folder = "players/dt=2026-01-31";

/** A message that was queued. */
export interface Sent {
    readonly queue: string;
    readonly message: Readonly<Record<string, unknown>>;
    readonly delaySeconds: number;
}

/** What a test of the batches needs around the lake: an endpoint whose jobs are moved by hand, queues that are looked into, a clock. */
export class Batches {
    readonly sent: Sent[] = [];
    readonly steps: Record<string, unknown>[] = [];
    /** Rows that the ledger has, by file. */
    readonly ledgerRows = new Map<string, number>();
    /** How often the ledger was asked. */
    ledgerAsked = 0;
    /** What the endpoint says of each job, by its name. */
    readonly jobs = new Map<string, string>();
    clock = Date.parse("2026-01-31T12:00:00Z");

    private constructor(
        readonly parts: ColdParts,
        readonly server: BatchServer,
        readonly endpoint: BatchEndpoint,
    ) {}

    static async start(parts: ColdParts): Promise<Batches> {
        await parts.clear();
        const server = await startBatchServer();
        const endpoint = createBatchEndpoint(
            { BATCH_SCORING_URI: server.uri, BATCH_DEPLOYMENT: "blue", BATCH_OUTPUT_DATASTORE: "/subscriptions/s/datastores/d" },
            parts.credential,
        );
        const batches = new Batches(parts, server, endpoint);
        const submit = server.answer;
        server.answer = (request) => {
            if (request.method === "POST") {
                return submit(request);
            }
            const name = request.url?.split("/").at(-1) ?? "";
            const status = batches.jobs.get(name);
            return status === undefined ? { status: 404, body: "no such job" } : { status: 200, body: jobBody(name, status) };
        };
        return batches;
    }

    /** What the functions under test are given. */
    given() {
        return {
            lake: this.parts.lake,
            endpoint: this.endpoint,
            queues: {
                send: (queue: string, message: object, delaySeconds = 0) => {
                    this.sent.push({ queue, message: message as Sent["message"], delaySeconds });
                    return Promise.resolve();
                },
            },
            ledger: {
                rowsOf: (files: readonly { readonly file: string }[]) => {
                    this.ledgerAsked += 1;
                    return Promise.resolve(new Map(files.flatMap(({ file }) => (this.ledgerRows.has(file) ? [[file, this.ledgerRows.get(file) ?? 0] as const] : []))));
                },
            },
            now: () => new Date(this.clock),
            log: (line: string) => void this.steps.push(JSON.parse(line) as Record<string, unknown>),
        };
    }

    /** Writes a blob past the client that is tested. */
    async write(container: string, path: string, text: string): Promise<void> {
        const client: ContainerClient = this.parts.container(container);
        await client.getBlockBlobClient(path).upload(text, Buffer.byteLength(text));
    }

    /** Completes a folder and gives the event of it. */
    async completed(of = folder, files: Readonly<Record<string, string>> = { "part-0.csv": "rows" }): Promise<BlobCreated> {
        for (const [name, text] of Object.entries(files)) {
            await this.write("logs", [of, name].filter(Boolean).join("/"), text);
        }
        return this.marked(of);
    }

    /** Writes the folder's marker, again if it is there. */
    async marked(of = folder): Promise<BlobCreated> {
        const path = [of, "_SUCCESS"].filter(Boolean).join("/");
        await this.parts.lake.writeMarker("logs", path);
        const marker = await this.parts.lake.find("logs", path);
        return parseBlobCreated(eventOf("logs", path, marker?.etag ?? ""));
    }

    /** The states as they are in the lake, oldest first. */
    async states(): Promise<BatchState[]> {
        const contents = Object.values(await this.parts.contents("batches")).map((text) => JSON.parse(text) as BatchState);
        return contents.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
    }

    /** The one state that there is. */
    async state(): Promise<BatchState> {
        const [state, ...others] = await this.states();
        if (state === undefined || others.length > 0) {
            throw new Error(`expected one batch, there are ${others.length + (state ? 1 : 0)}`);
        }
        return state;
    }

    /** The names of the steps that were logged. */
    stepNames(): unknown[] {
        return this.steps.flatMap(({ step }) => step ?? []);
    }

    /** Output paths of the jobs that were submitted. */
    outputs(): string[] {
        return this.submissions().map((body) => body.properties.OutputData.predictions.Uri.replace("azureml:/subscriptions/s/datastores/d/paths/", ""));
    }

    inputs(): string[] {
        return this.submissions().map((body) => body.properties.InputData.folder.Uri);
    }

    private submissions(): Submitted[] {
        return this.server.requests.filter(({ method }) => method === "POST").map(({ body }) => JSON.parse(body) as Submitted);
    }
}

interface Submitted {
    readonly properties: {
        readonly InputData: { readonly folder: { readonly Uri: string } };
        readonly OutputData: { readonly predictions: { readonly Uri: string } };
    };
}
