import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { BlobServiceClient } from "@azure/storage-blob";
import { containers, summariesFolder } from "../../functions/contracts";
import type { AppSettings } from "../../functions/settings";
import { loopback } from "../../local/parts/ports";
import type { Workshop } from "../../local/parts/workshop";
import { jobBody } from "../functions/cold/batch-server";
import { predictionsOf } from "./players";

/** A job that was submitted. */
interface Job {
    readonly name: string;
    /** Folder of the logs, ending with a slash. */
    readonly input: string;
    /** Folder of the predictions, without a slash at its end. */
    readonly output: string;
    status: "Queued" | JobEnd;
}

/** How a job ends. One that fails or is canceled has written the first of its files. */
export type JobEnd = "Completed" | "Failed" | "Canceled";

const submission = {
    input: /\/logs\/(.*)$/u,
    output: /\/paths\/(.*)\/$/u,
};

/**
 * Azure ML's batch endpoint as far as the handlers see it, which is the same with any model: jobs are taken, and later files are in their
 * output folder. Jobs outlive a restart of the endpoint, and run when they are told to.
 */
export class BatchJobs {
    readonly #jobs: Job[] = [];
    readonly #events: object[] = [];
    #down = false;

    private constructor(
        private readonly uri: string,
        private readonly inputs: BlobServiceClient,
        private readonly outputs: BlobServiceClient,
        private readonly disconnect: () => void,
    ) {}

    static async start(workshop: Workshop, inputs: BlobServiceClient, outputs: BlobServiceClient): Promise<BatchJobs> {
        const { cert, key } = workshop.certificate;
        const server = createServer({ cert, key }, (request, response) => void jobs.#serve(request, response));
        await new Promise<void>((resolve) => server.listen(0, loopback, resolve));
        const uri = `https://${loopback}:${(server.address() as AddressInfo).port}/jobs`;
        const jobs = new BatchJobs(uri, inputs, outputs, () => server.closeAllConnections());
        server.on("connection", (socket) => jobs.#down && socket.destroy());
        workshop.onStop(async () => {
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
        });
        return jobs;
    }

    get settings(): Pick<AppSettings, "BATCH_SCORING_URI" | "BATCH_DEPLOYMENT" | "BATCH_OUTPUT_DATASTORE"> {
        return {
            BATCH_SCORING_URI: this.uri,
            BATCH_DEPLOYMENT: "model",
            BATCH_OUTPUT_DATASTORE: "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/datastores/predictions",
        };
    }

    /** The folders that jobs were submitted for, a job an entry, in the order of submission. */
    get submitted(): readonly string[] {
        return this.#jobs.map(({ input }) => input);
    }

    /** How many jobs wait to run. */
    get waiting(): number {
        return this.#jobs.filter(({ status }) => status === "Queued").length;
    }

    /**
     * Runs the jobs that wait, each over the folder as it is now; each output file appears whole.
     *
     * @param endOf how the job over a folder ends, without a slash at the folder's end
     */
    async run(endOf: (folder: string) => JobEnd = () => "Completed"): Promise<void> {
        for (const job of this.#jobs.filter(({ status }) => status === "Queued")) {
            const end = endOf(job.input.slice(0, -1));
            const logs = this.inputs.getContainerClient(containers.logs);
            for await (const { name, properties } of logs.listBlobsFlat({ prefix: job.input })) {
                if (name.endsWith(".csv")) {
                    const text = (await logs.getBlobClient(name).downloadToBuffer()).toString("utf8");
                    await this.#score(job, name.slice(job.input.length), text, properties.contentLength ?? 0);
                    if (end !== "Completed") {
                        break;
                    }
                }
            }
            job.status = end;
            this.#events.push({
                eventType: "Microsoft.MachineLearningServices.RunStatusChanged",
                data: { runId: job.name, runStatus: end },
            });
        }
    }

    /** Takes the events of jobs that have ended since the last call. */
    takeEvents(): object[] {
        return this.#events.splice(0);
    }

    /** Writes what a job writes of a file. */
    async #score({ output }: Job, file: string, text: string, bytes: number): Promise<void> {
        const predictions = predictionsOf(text);
        const [, ...rows] = predictions.trimEnd().split("\n");
        const target = this.outputs.getContainerClient(containers.predictions);
        await target.getBlockBlobClient(`${output}/${file}`).upload(predictions, Buffer.byteLength(predictions), { blobHTTPHeaders: { blobContentType: "text/csv" } });
        // Rows that `load` sets aside are good ones to the job.
        const summary = JSON.stringify({ file, bytes, scored: rows.length, rejected: 0 });
        await target.getBlockBlobClient(`${output}/${summariesFolder}/${file}.json`).upload(summary, Buffer.byteLength(summary));
    }

    async restart(meanwhile: () => Promise<void>): Promise<void> {
        this.#down = true;
        this.disconnect();
        await meanwhile();
        this.#down = false;
    }

    clear(): void {
        this.#jobs.length = 0;
        this.#events.length = 0;
    }

    async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const body = Buffer.concat((await request.toArray().catch(() => [])) as Buffer[]).toString("utf8");
        const job = request.method === "POST" ? this.#submit(body) : this.#jobs.find(({ name }) => request.url === `/jobs/${name}`);
        response.writeHead(job === undefined ? 404 : request.method === "POST" ? 201 : 200, { "content-type": "application/json" });
        response.end(job === undefined ? "{}" : jobBody(job.name, job.status, job.output));
    }

    #submit(body: string): Job | undefined {
        const [, input] = submission.input.exec(uriIn(body, "InputData")) ?? [];
        const [, output] = submission.output.exec(uriIn(body, "OutputData")) ?? [];
        if (input === undefined || output === undefined) {
            return undefined;
        }
        const job: Job = { name: `job-${this.#jobs.length + 1}`, input: `${decodeURIComponent(input)}/`, output, status: "Queued" };
        this.#jobs.push(job);
        return job;
    }
}

function uriIn(body: string, part: "InputData" | "OutputData"): string {
    const { properties } = JSON.parse(body || "{}") as { properties?: Record<string, Record<string, { Uri: string }>> };
    return Object.values(properties?.[part] ?? {})[0]?.Uri ?? "";
}
