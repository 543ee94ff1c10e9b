import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { unzipSync, zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { buildPackage, type HandlerPackage } from "../../infra/handlers/package";
import { readModelFolder } from "../../infra/models/model-folder";
import { ruledTypes } from "../../local/cloud/replacement";
import { EngineError } from "../../local/engine/engine-stack";
import { resourceOf } from "../../local/engine/provider";
import { handlerEnvironment, lines, minutes, openStack, pidsOf, replaced, trainModel, type OpenStack, type ProgramChanges } from "./stack";

const dir = mkdtempSync(path.join(tmpdir(), "engine-"));
const stackDir = path.join(dir, "stack");
const program: ProgramChanges = {};
let modelFolder: string;
let otherModel: string;
let handlers: HandlerPackage;
let stack: OpenStack;

async function open(): Promise<void> {
    stack = await openStack(stackDir, { modelFolder }, program);
}

/** The stack as it was brought up first. */
async function unchanged(): Promise<void> {
    program.context = { package: handlers };
    await stack.configure();
}

/** Resolves when the running handlers reach all that they depend on; the first tries of a busy machine may take longer than they wait. */
async function healthy(): Promise<void> {
    await vi.waitFor(
        async () => {
            const answer = await fetch(`${stack.ground.cloud.web.running[0]?.url}/api/health`);
            expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
        },
        { timeout: minutes, interval: 500 },
    );
}

/** Kills the processes of a part as soon as there are any. */
async function killWhenStarted(part: string): Promise<void> {
    for (;;) {
        const pids = pidsOf(stackDir, part);
        if (pids.length > 0) {
            pids.forEach((pid) => process.kill(pid, "SIGKILL"));
            return;
        }
        await delay(2);
    }
}

/** What a model folder becomes. */
function modelResources(folder: string): string[] {
    const { modelVersion, files } = readModelFolder(folder);
    return [
        ...files.map(({ name }) => `Blob players-ml-model-${modelVersion}-${name}`),
        `ModelVersion players-ml-model-${modelVersion}`,
        `OnlineDeployment players-ml-online-deployment-${modelVersion}`,
    ];
}

/** The handlers with one more line in their bundle. */
function changedPackage(): HandlerPackage {
    const files = unzipSync(handlers.zip);
    const changed = { ...files, "index.js": Buffer.concat([files["index.js"] ?? Buffer.alloc(0), Buffer.from("\n// changed\n")]) };
    const zip = zipSync(changed, { mtime: new Date(1980, 0, 1) });
    return { zip, hash: createHash("sha256").update(zip).digest("hex") };
}

beforeAll(async () => {
    [modelFolder, otherModel] = [await trainModel(dir, 1), await trainModel(dir, 2)];
    handlers = await buildPackage();
    program.context = { package: handlers };
    await open();
}, 5 * minutes);

afterAll(async () => {
    await stack.close();
    rmSync(dir, { recursive: true, force: true });
}, minutes);

describe("a new stack", () => {
    test("every type that the local cloud knows has a rule of replacement, and no other", () => {
        expect([...ruledTypes].sort()).toEqual([...stack.ground.cloud.types].sort());
    });

    test("a preview creates everything and makes nothing", async () => {
        const operations = await stack.engine.preview();
        expect(new Set(operations.map(({ op }) => op))).toEqual(new Set(["create"]));
        expect(lines(operations)).toContain("create WebApp players-handlers-app");
        expect((await stack.engine.state()).resources).toEqual([]);
        expect(pidsOf(stackDir, "azurite")).toEqual([]);
    }, 2 * minutes);

    test("a part that is killed while it is made fails the update by its name, and the next one finishes", async () => {
        const [failed] = await Promise.allSettled([stack.engine.up(), killWhenStarted("redis-")]);
        expect(failed).toMatchObject({ status: "rejected", reason: expect.any(EngineError) as unknown });
        expect(String((failed as PromiseRejectedResult).reason)).toContain("players-cache-");
        expect(stack.ground.cloud.web.running).toEqual([]);
        const made = (await stack.engine.state()).resources.map(({ urn }) => resourceOf(urn));

        const { operations } = await stack.engine.up();
        expect(lines(operations)).toContain("create WebApp players-handlers-app");
        expect(new Set(operations.map(({ op }) => op))).toEqual(new Set(["create"]));
        // What was made before the failure stays.
        expect(made.length).toBeGreaterThan(1);
        expect(operations.filter(({ type, name }) => made.some((each) => each.type === type && each.name === name))).toEqual([]);
        await healthy();
    }, 5 * minutes);

    test("the state holds no secret in plain text", () => {
        const files = readdirSync(path.join(stackDir, "engine"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
        const [app] = stack.ground.cloud.web.running;
        for (const file of files.map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "utf8"))) {
            expect(file).not.toContain(stack.ground.databasePassword);
            expect(file).not.toContain(app?.functionKey);
        }
        expect(handlerEnvironment(stackDir).DATABASE_PASSWORD).toBe(stack.ground.databasePassword);
    });

    test("after a restart everything runs again at the same addresses, and a second update changes nothing", async () => {
        const [before] = stack.ground.cloud.web.running;
        await stack.close();
        await open();
        expect((await stack.engine.up({ expectNoChanges: true })).operations).toEqual([]);
        expect(stack.ground.cloud.web.running[0]?.url).toBe(before?.url);
        await healthy();
    }, 3 * minutes);
});

interface ExpectedChange {
    readonly what: string;
    readonly settings: Readonly<Record<string, string>>;
    readonly expected: readonly string[];
}

/** Stands for the deployment of the model in service, which is trained later than this is read. */
const onlineDeployment = "OnlineDeployment in service";

const changes: readonly ExpectedChange[] = [
    { what: "the schedule", settings: { ingestSchedule: "0 30 4 * * *" }, expected: ["update WebApp players-handlers-app"] },
    { what: "the handlers' memory", settings: { functionMemoryMb: "4096" }, expected: ["update WebApp players-handlers-app"] },
    { what: "limits of the model", settings: { onlineRequestTimeoutSeconds: "9" }, expected: ["update " + onlineDeployment] },
    { what: "the lake's redundancy", settings: { lakeSku: "Standard_ZRS" }, expected: ["update StorageAccount playerslake"] },
    { what: "the cache's size", settings: { redisSku: "Balanced_B1" }, expected: ["update RedisEnterprise players-cache-cluster"] },
    {
        what: "the logs' prefix",
        settings: { sourcePrefix: "gamers/" },
        expected: ["update RolePolicy players-aws-policy", "update WebApp players-handlers-app"],
    },
    {
        what: "the cluster's VM size",
        settings: { batchVmSize: "Standard_D8s_v3" },
        // The handlers start trainings on it.
        expected: [...replaced("Compute players-ml-batch-cluster"), "update BatchDeployment players-ml-batch-deployment", "update WebApp players-handlers-app"],
    },
    {
        what: "the model's VM size",
        settings: { onlineInstanceType: "Standard_F8s_v2" },
        expected: [...replaced(onlineDeployment), "update WebApp players-handlers-app"],
    },
];

describe("a change", () => {
    test.each(changes)("of $what does in a preview exactly what it should", async ({ settings, expected }) => {
        await stack.configure(settings);
        const { modelVersion } = readModelFolder(modelFolder);
        const named = expected.map((line) => line.replace(onlineDeployment, `OnlineDeployment players-ml-online-deployment-${modelVersion}`));
        expect(lines(await stack.engine.preview())).toEqual(named.sort());
        await unchanged();
    }, 2 * minutes);

    test("a wrong setting is one line that names it, and changes nothing", async () => {
        await stack.configure({ ingestSchedule: "often" });
        await expect(stack.engine.up()).rejects.toThrow(/^.*player-predictions:ingestSchedule is "often"; allowed: .*$/m);
        await unchanged();
        expect(await stack.engine.preview({ expectNoChanges: true })).toEqual([]);
    }, 2 * minutes);

    test("of a setting is taken up by the running handlers", async () => {
        await stack.configure({ ingestSchedule: "0 30 4 * * *" });
        const { operations } = await stack.engine.up();
        expect(lines(operations)).toEqual(["update WebApp players-handlers-app"]);
        expect(operations[0]?.because).toEqual([expect.stringMatching(/^siteConfig\.appSettings\[\d+\]\.value$/)]);
        expect(handlerEnvironment(stackDir).INGEST_SCHEDULE).toBe("0 30 4 * * *");
        await healthy();
        await unchanged();
    }, 2 * minutes);

    test("of the models is one setting where both are kept, and so is the way back", async () => {
        const keptModelFolders = JSON.stringify([modelFolder, otherModel]);
        const ingestSchedule = "0 30 4 * * *";
        await stack.configure({ ingestSchedule, keptModelFolders });
        expect(lines((await stack.engine.up()).operations)).toEqual(modelResources(otherModel).map((each) => `create ${each}`).sort());
        expect(handlerEnvironment(stackDir).MODEL_VERSION).toBe(readModelFolder(modelFolder).modelVersion);
        expect(pidsOf(stackDir, "online-")).toHaveLength(2);

        await stack.configure({ ingestSchedule, keptModelFolders, modelFolder: otherModel });
        expect(lines(await stack.engine.preview())).toEqual(["update BatchDeployment players-ml-batch-deployment", "update WebApp players-handlers-app"]);
    }, 4 * minutes);

    test("of the handlers' sources and the models at once puts the new ones into service before the old ones go", async () => {
        program.context = { package: changedPackage() };
        await stack.configure({ modelFolder: otherModel });
        const { operations } = await stack.engine.up();
        expect(lines(operations)).toEqual(
            [
                ...replaced("Blob players-handlers-package", "Deployment players-handlers-onedeploy"),
                ...modelResources(modelFolder).map((each) => `delete ${each}`),
                "update BatchDeployment players-ml-batch-deployment",
                "update WebApp players-handlers-app",
            ].sort(),
        );
        const step = (op: string, start: string) => operations.findIndex((each) => each.op === op && each.name.startsWith(start));
        expect(step("update", "players-handlers-app")).toBeLessThan(step("delete", "players-ml-online-deployment-"));
        expect(readFileSync(path.join(stackDir, "apps", readdirSync(path.join(stackDir, "apps"))[0] ?? "", "package", "index.js"), "utf8")).toContain("// changed");
        expect(handlerEnvironment(stackDir).MODEL_VERSION).toBe(readModelFolder(otherModel).modelVersion);
        expect(pidsOf(stackDir, "online-")).toHaveLength(1);
        await healthy();
    }, 4 * minutes);
});

describe("drift", () => {
    test("a refresh finds what was deleted or changed behind the stack's back, and an update mends it", async () => {
        const { storage } = stack.ground.cloud;
        const lake = storage.byName(String((await stack.engine.up()).outputs.lakeAccount));
        await lake.queues.getQueueClient("folders-ready").delete();
        await lake.blobs.getContainerClient("predictions").setAccessPolicy("blob");
        const settingsFile = path.join(stackDir, "apps", readdirSync(path.join(stackDir, "apps"))[0] ?? "", "settings.json");
        const settings = JSON.parse(readFileSync(settingsFile, "utf8")) as { name: string; value: string }[];
        writeFileSync(settingsFile, JSON.stringify(settings.map((each) => (each.name === "REQUEST_DEADLINE_MS" ? { ...each, value: "1" } : each))));
        // Found by another process, too.
        await stack.close();
        await open();
        program.context = { package: changedPackage() };
        await stack.configure({ modelFolder: otherModel });

        const drifted = ["BlobContainer players-lake-predictions", "WebApp players-handlers-app"];
        expect(lines(await stack.engine.refresh())).toEqual(["delete Queue players-lake-folders-ready", ...drifted.map((each) => `update ${each}`)].sort());
        const { operations } = await stack.engine.up();
        expect(lines(operations)).toEqual(["create Queue players-lake-folders-ready", ...drifted.map((each) => `update ${each}`)].sort());
        expect(handlerEnvironment(stackDir).REQUEST_DEADLINE_MS).not.toBe("1");
        await expect(stack.engine.refresh({ expectNoChanges: true })).resolves.toEqual([]);
    }, 4 * minutes);
});

describe("destroy", () => {
    test("removes everything but what is protected, with what that stands on", async () => {
        program.before = () =>
            pulumi.runtime.registerStackTransformation(({ type, name, props, opts }) =>
                type === "azure-native:storage:StorageAccount" && name === "playerslake" ? { props, opts: { ...opts, protect: true } } : undefined,
            );
        await stack.engine.up();
        const { kept } = await stack.engine.destroy();
        expect(kept).toEqual([{ type: "azure-native:storage:StorageAccount", name: "playerslake" }]);
        const left = (await stack.engine.state()).resources.filter(({ custom, type }) => custom && !type.startsWith("pulumi:")).map(({ type }) => type.split(":").at(-1));
        expect(left).toEqual(["ResourceGroup", "StorageAccount"]);
        expect(readdirSync(path.join(stackDir, "run")).filter((name) => /^(azurite|redis|online|host)-/.test(name))).toEqual([expect.stringMatching(/^azurite-playerslake/)]);
        expect(readdirSync(stackDir).filter((name) => /^(azurite|redis)-/.test(name))).toEqual([expect.stringMatching(/^azurite-playerslake/)]);
        expect(["assets", "jobs"].filter((name) => existsSync(path.join(stackDir, name)))).toEqual([]);
        expect(readdirSync(path.join(stackDir, "apps"))).toEqual([]);
    }, 4 * minutes);

    test("what is protected and left by the program stays, and the update says so", async () => {
        program.instead = () => ({});
        await expect(stack.engine.up()).rejects.toThrow(/playerslake.*protect/s);
        const { resources } = await stack.engine.state();
        expect(resources.map(({ type }) => type)).toContain("azure-native:storage:StorageAccount");
    }, 2 * minutes);
});
