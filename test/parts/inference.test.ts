import { mkdirSync, writeFileSync } from "node:fs";
import net from "node:net";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { startInferenceServer, type InferenceOptions } from "../../local/parts/inference";
import { ensurePython } from "../../local/parts/python";
import { temporaryDir, temporaryWorkshop } from "./temporary";

/** A scoring script beside a module of its own, over a model of one line. */
function deployment(init: string): InferenceOptions {
    const dir = temporaryDir();
    const [codeDir, modelDir] = [path.join(dir, "code"), path.join(dir, "model")];
    mkdirSync(codeDir);
    mkdirSync(modelDir);
    writeFileSync(path.join(modelDir, "factor.txt"), "3");
    writeFileSync(path.join(codeDir, "scale.py"), "def scale(values, factor):\n    return [value * factor for value in values]\n");
    const script = `
import json, os, time
from scale import scale

def init():
    global factor
    ${init}
    factor = int(open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "factor.txt")).read())

def run(data):
    return {"scaled": scale(json.loads(data)["values"], factor), "workers": os.environ["WORKER_COUNT"]}
`;
    writeFileSync(path.join(codeDir, "score.py"), script);
    return { name: "online-model", entryScript: "score.py", codeDir, modelDir };
}

// Where it is not there yet, making the environment takes longer than a test may.
beforeAll(ensurePython, 600_000);

test("runs the script on its model, once init is through, on the loopback address alone", async () => {
    const workshop = await temporaryWorkshop();
    const { url } = await startInferenceServer(workshop, { ...deployment("time.sleep(1)"), env: { WORKER_COUNT: "2" } });
    const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: '{"values":[1,2]}' });
    expect({ status: answer.status, body: await answer.json() }).toEqual({ status: 200, body: { scaled: [3, 6], workers: "2" } });

    const outside = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    for (const { address } of outside.filter(({ internal, family }) => !internal && family === "IPv4")) {
        await expect(connect(address, Number(new URL(url).port))).rejects.toThrow(/ECONNREFUSED/);
    }
});

test("tells the script's own error when init fails", async () => {
    const start = startInferenceServer(await temporaryWorkshop(), deployment('raise ValueError("no trees in the model")'));
    await expect(start).rejects.toThrow(/ValueError: no trees in the model/);
});

function connect(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
        const socket = net.connect(port, host, () => resolve(void socket.destroy()));
        socket.on("error", reject);
    });
}
