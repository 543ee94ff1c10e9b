import { unzipSync } from "fflate";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { AppSettings } from "../../../functions/settings";
import { buildPackage } from "../../../infra/handlers/package";
import { startHost } from "../../../local/host";
import { hotAppSettings } from "./app-settings";
import { type CacheParts, clientId } from "./cache-parts";
import type { ModelServer } from "./model-server";
import { modelVersion } from "./predictions";

export const functionKey = "the-function-key";

/** The deployed package at work: everything but the cache and the model is down. */
export async function startHotHost(parts: CacheParts, model: ModelServer, settings: Partial<AppSettings> = {}) {
    const packageDir = path.join(parts.workshop.dir, "package");
    for (const [name, content] of Object.entries(unzipSync((await buildPackage()).zip))) {
        const file = path.join(packageDir, name);
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, content);
    }
    const { principalId, identity } = parts;
    const { url, process } = await startHost(parts.workshop, {
        packageDir,
        appSettings: hotAppSettings({ clientId, principalId, redisPort: parts.settings.REDIS_PORT, modelUrl: model.url, modelVersion }, settings),
        identity,
        keys: { functionKey, masterKey: "the-master-key" },
    });
    return { api: `${url}/api`, process };
}
