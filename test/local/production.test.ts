import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { program } from "../../infra/program";
import { runInProcess } from "../../local/cloud/in-process";
import { openWorkshop, type Workshop } from "../../local/parts/workshop";
import { Progress } from "../../local/progress";
import { openGround, type Ground } from "../../local/stack";
import { configWith, minutes, trainModel } from "../engine/stack";

const dir = mkdtempSync(path.join(tmpdir(), "production-stack-"));
const registered: string[] = [];
let workshop: Workshop;
let ground: Ground;
let outputs: Readonly<Record<string, unknown>>;

beforeAll(async () => {
    const model = await trainModel(dir, 1);
    workshop = await openWorkshop(path.join(dir, "stack"));
    ground = await openGround(workshop, new Progress());
    const { config, cloud, databasePassword } = ground;
    outputs = await runInProcess(() => program({ managementEndpoint: cloud.managementEndpoint }), cloud, {
        stack: "local",
        config: configWith(config, { profile: "prod", modelFolder: model }),
        secrets: { databasePassword },
        onRegistered: ({ type }) => registered.push(type),
    });
}, 5 * minutes);

afterAll(async () => {
    await workshop?.stop();
    rmSync(dir, { recursive: true, force: true });
}, minutes);

test("the stack with production's settings has its private network, and one address that the database lets in", () => {
    const count = (type: string): number => registered.filter((each) => each === type).length;
    expect(count("azure-native:network:VirtualNetwork")).toBe(1);
    expect(count("azure-native:network:NatGateway")).toBe(1);
    expect(count("azure-native:network:PrivateEndpoint")).toBeGreaterThanOrEqual(5);
    expect(count("azure-native:network:PrivateDnsZoneGroup")).toBe(count("azure-native:network:PrivateEndpoint"));
    expect(count("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")).toBe(1);
    expect(outputs.egressAddress).toBe("203.0.113.10");
});

test("its handlers reach everything", async () => {
    const [app] = ground.cloud.web.running;
    // The parts have just started, and a busy machine may take longer than the handlers wait.
    await vi.waitFor(
        async () => {
            const health = await fetch(`${app?.url}/api/health`);
            expect(await health.json()).toMatchObject({ status: "up" });
            expect(health.status).toBe(200);
        },
        { timeout: minutes, interval: 500 },
    );
});
