import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CommandJobSubmission, createCommandJobs, propertiesOf } from "../../functions/clients/command-jobs";
import { createLake, type Lake } from "../../functions/clients/lake";
import { tellOfTraining } from "../../functions/retrain/outcome";
import { retrain } from "../../functions/retrain/retrain";
import { readTrainingCode } from "../../infra/models/ml-code";
import { readModelFolder } from "../../infra/models/model-folder";
import { download } from "../../local/cloud/models/blob-folder";
import { runPython } from "../../local/python-script";
import { roleIds, World, type Registered } from "./world";

const minutes = 60_000;
const folder = "players/_labelled";

let world: World;
let lakeAccount: Registered;
let workspace: Registered;
let handlers: Registered;
let cluster: Registered;
let computeId: string;
let codeId: string;
let environmentId: string;
let lake: Lake;
const lines: string[] = [];

beforeAll(async () => {
    world = await World.start();
    handlers = await world.identityNamed("handlers");
    cluster = await world.identityNamed("cluster");
    lakeAccount = await world.account("lake", "logs", "models");
    workspace = await world.workspace("models");
    computeId = (await world.cluster(cluster)).id;
    environmentId = (await world.register("machinelearningservices:EnvironmentVersion", "training", { workspaceName: "ml", name: "training", version: "1" })).id;
    const { files } = readTrainingCode();
    await world.upload(Object.fromEntries(files.map(({ name, file }) => [`code/1/${name}`, new pulumi.asset.FileAsset(file)])));
    codeId = await world.code("code/1");
    await world.assign(handlers, roleIds.blobReader, container("logs"));
    await world.assign(handlers, roleIds.blobReader, container("models"));
    lake = createLake({ Lake__blobServiceUri: world.storage.byName("lake").blobEndpoint }, world.credentialOf(handlers));
});

afterAll(() => world?.stop());

beforeEach(() => {
    lines.length = 0;
});

function container(name: string): string {
    return `${lakeAccount.id}/blobServices/default/containers/${name}`;
}

function jobsUri(): string {
    return `${world.models.managementEndpoint}${workspace.id}/jobs`;
}

function jobs() {
    return createCommandJobs(jobsUri(), world.credentialOf(handlers, "https://management.azure.com"));
}

function inDatastore(name: string, place: string): string {
    return `azureml:/${workspace.id}/datastores/${name}/paths/${place}`;
}

async function ended(job: string): Promise<string> {
    let status = "Running";
    await expect.poll(async () => ({ status } = (await jobs().find(job)) ?? { status: "gone" }).status, { timeout: 5 * minutes, interval: 500 }).not.toBe("Running");
    return status;
}

function put(file: string, text: string) {
    return world.storage.byName("lake").blobs.getContainerClient("logs").getBlockBlobClient(`${folder}/${file}`).upload(text, Buffer.byteLength(text));
}

/** What a job left in the lake, downloaded. */
async function leftBy(job: string): Promise<string> {
    const dir = path.join(world.dir, "left", job);
    mkdirSync(dir, { recursive: true });
    await download({ container: world.storage.byName("lake").blobs.getContainerClient("models"), prefix: `candidates/${job}/` }, dir);
    return dir;
}

describe("the workspace's jobs", () => {
    const submission = (command: string): CommandJobSubmission => ({
        experiment: "test",
        description: "",
        command,
        codeId,
        environmentId,
        computeId,
        identityClientId: String(cluster.clientId),
        inputs: { players: `${world.storage.byName("lake").blobEndpoint}/logs/${folder}` },
        outputs: { result: inDatastore("models", "test") },
        timeoutSeconds: 60,
    });
    const copy = 'cp "${{inputs.players}}/a.csv" "${{outputs.result}}/b.csv"; test -f train.py';

    test("want a token for Azure Resource Manager, a role on the workspace, and an API version", async () => {
        const ask = async (credential: ReturnType<World["credentialOf"]>, version = "?api-version=2025-12-01") => {
            const token = await credential.getToken("");
            return (await fetch(`${jobsUri()}/none${version}`, { headers: { authorization: `Bearer ${token?.token}` } })).status;
        };
        const management = world.credentialOf(handlers, "https://management.azure.com");
        expect(await ask(world.credentialOf(handlers, "https://ml.azure.com"))).toBe(401);
        expect(await ask(management)).toBe(403);
        await world.assign(handlers, roleIds.dataScientist, workspace.id);
        expect(await ask(management, "")).toBe(400);
        expect(await ask(management)).toBe(404);
    });

    test("read and write as the cluster's identity, and keep what they wrote before they failed", async () => {
        await put("a.csv", "abc");
        await jobs().submit("without-a-role", submission(copy));
        expect(await ended("without-a-role")).toBe("Failed");
        expect(readFileSync(path.join(world.dir, "logs", "without-a-role.log"), "utf8")).toMatch(/blob\/read/);
        await world.assign(cluster, roleIds.blobReader, container("logs"));
        await world.assign(cluster, roleIds.blobContributor, container("models"));
        await jobs().submit("failing", submission(`${copy} && exit 7`));
        expect(await ended("failing")).toBe("Failed");
        expect(readFileSync(path.join(world.dir, "logs", "failing.log"), "utf8")).toContain("the command ended with 7");
        expect((await lake.readText("models", "test/b.csv"))?.text).toBe("abc");
        await jobs().submit("good", submission(copy));
        expect(await ended("good")).toBe("Completed");
    });

    test("have one job a name, and refuse what they have not", async () => {
        const token = await world.credentialOf(handlers, "https://management.azure.com").getToken("");
        const submit = async (name: string, properties: object) => {
            const answer = await fetch(`${jobsUri()}/${name}?api-version=2025-12-01`, {
                method: "PUT",
                headers: { authorization: `Bearer ${token?.token}` },
                body: JSON.stringify({ properties }),
            });
            return `${answer.status} ${await answer.text()}`;
        };
        const properties = propertiesOf("new", submission(copy));
        expect(await submit("good", properties)).toMatch(/^400 .*A job with this name already exists/);
        expect(await submit("new", { ...properties, computeId: `${computeId}2` })).toMatch(/^400 .*there is no compute/);
        expect(await submit("new", { ...properties, identity: { identityType: "Managed", clientId: handlers.clientId } })).toMatch(/^400 .*there is no compute .* with an identity/);
        expect(await submit("new", { ...properties, environmentId: `${environmentId}2` })).toMatch(/^400 .*there is no environment/);
        expect(await submit("new", { ...properties, jobType: "Sweep" })).toMatch(/^400 /);
        expect(await submit("new", { ...properties, comand: "" })).toMatch(/^400 .*comand/);
        expect(await jobs().find("new")).toBeUndefined();
    });
});

describe("retraining, from the handler to the candidate", () => {
    const errors: string[] = [];

    function run() {
        return retrain({
            settings: {
                TRAINING_FOLDER: folder,
                TRAINING_CODE: codeId,
                TRAINING_ENVIRONMENT: environmentId,
                TRAINING_COMPUTE: computeId,
                TRAINING_IDENTITY: String(cluster.clientId),
                TRAINING_CURRENT_MODEL: inDatastore("assets", "models/current"),
                TRAINING_CANDIDATES: inDatastore("models", "candidates"),
                TRAINING_SEARCH_SECONDS: 0,
            },
            lake,
            jobs: jobs(),
            log: (line) => lines.push(line),
        });
    }

    async function outcomeOf(job: string) {
        errors.length = 0;
        lines.length = 0;
        const outcome = await tellOfTraining(job, { lake, jobs: jobs(), log: (line) => lines.push(line), error: (line) => errors.push(line) });
        return { outcome, ...(JSON.parse(lines[0] ?? errors[0] ?? "{}") as { model?: string; reasons?: string[] }) };
    }

    let players: string;
    beforeAll(async () => {
        const [data, model] = ["players.csv", "model"].map((name) => path.join(world.dir, name)) as [string, string];
        await runPython("ml/sample.py", ["--rows", "1500", "--seed", "3", "--out", data], path.join(world.dir, "sample.log"));
        await runPython("ml/train.py", ["--data", data, "--out", model, "--no-report"], path.join(world.dir, "train.log"));
        players = readFileSync(data, "utf8");
        await world.assign(cluster, roleIds.blobReader, world.storage.byName("runtime").id);
        await world.upload(Object.fromEntries(readModelFolder(model).files.map(({ name, file }) => [`models/current/${name}`, new pulumi.asset.FileAsset(file)])));
        await put("a.csv", players);
    }, 5 * minutes);

    test("a run leaves a candidate that can be deployed, with its report; to run again starts nothing", async () => {
        const [first, second] = [await run(), await run()];
        expect([first.outcome, second]).toEqual(["submitted", { outcome: "running", job: first.job }]);
        expect(await ended(first.job)).toBe("Completed");
        expect(await run()).toEqual({ outcome: "trained", job: first.job });

        const left = await leftBy(first.job);
        const model = readModelFolder(path.join(left, "model"));
        const { gate } = JSON.parse(readFileSync(path.join(left, "model", "model.json"), "utf8")) as { gate: { passed: boolean; comparedWith: string } };
        // The same players, seed and code give the same model as the one in service.
        expect(gate).toMatchObject({ passed: true, comparedWith: model.modelVersion });
        expect(readFileSync(path.join(left, "model", "report", "index.html"), "utf8")).toContain("<html");
        expect(readdirSync(path.join(left, "model", "report")).filter((name) => name.endsWith(".png")).length).toBeGreaterThan(0);
        expect(readFileSync(path.join(left, "training.log"), "utf8")).toContain(`model ${model.modelVersion} written`);
        expect(await outcomeOf(first.job)).toMatchObject({ outcome: "candidate", model: model.modelVersion, folder: `models/candidates/${first.job}` });
        expect(errors).toEqual([]);
    }, 6 * minutes);

    test("a candidate that the gate refuses is a failed job, readable with its reasons and not deployable", async () => {
        await put("a.csv", misled(players));
        const { job } = await run();
        expect(await ended(job)).toBe("Failed");
        const left = await leftBy(job);
        expect(() => readModelFolder(path.join(left, "model"))).toThrow(/did not pass the gate of their training: .*churn ROC AUC is/);
        expect(readFileSync(path.join(left, "model", "report", "index.html"), "utf8")).toContain("<html");
        expect(readFileSync(path.join(left, "training.log"), "utf8")).toContain("REFUSED by the gate");
        expect(await outcomeOf(job)).toMatchObject({ outcome: "refused", reasons: expect.arrayContaining([expect.stringMatching(/^churn ROC AUC is/)]) as string[] });
        expect(errors).toHaveLength(1);
        expect(await run()).toEqual({ outcome: "refused", job });
    }, 6 * minutes);

    test("a training that fails says why, and is tried again by the next run", async () => {
        await put("a.csv", "idx,age\n1,30\n");
        const { job } = await run();
        expect(await ended(job)).toBe("Failed");
        expect(readFileSync(path.join(await leftBy(job), "training.log"), "utf8")).toMatch(/^train: .*a\.csv: /m);
        expect(await outcomeOf(job)).toMatchObject({ outcome: "failed" });
        expect(errors).toHaveLength(1);
        const again = await run();
        expect(again).toEqual({ outcome: "submitted", job: `${job}-2` });
        expect(await ended(again.job)).toBe("Failed");
    }, 3 * minutes);

    /** The answers of the players that models are fitted to turned round, and not those of the players that they are compared by (`last_fifth` of ml/training_data.py). */
    function misled(csv: string): string {
        const [header = "", ...rows] = csv.trimEnd().split("\n");
        const columns = header.trimEnd().split(",");
        const [id, label] = [columns.indexOf("idx"), columns.indexOf("churn_YN")];
        const changed = rows.map((row) => {
            const cells = row.trimEnd().split(",");
            const share = createHash("sha256").update(cells[id] ?? "").digest().readUIntBE(0, 6) / 2 ** 48;
            cells[label] = share >= 0.8 ? (cells[label] ?? "") : cells[label] === "Y" ? "N" : "Y";
            return cells.join(",");
        });
        return [header.trimEnd(), ...changed, ""].join("\n");
    }
});
