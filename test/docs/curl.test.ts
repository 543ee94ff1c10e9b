import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { answerSchema } from "../../functions/predict/answer";
import { problemSchema } from "../../functions/predict/problem";
import { projectDir } from "../../local/parts/paths";
import { run } from "../../local/parts/run";
import { ensureSystemPackages } from "../../local/parts/system";
import { type CacheParts, startCacheParts } from "../functions/hot/cache-parts";
import { functionKey, startHotHost } from "../functions/hot/hot-host";
import { ModelServer } from "../functions/hot/model-server";

let parts: CacheParts;
let model: ModelServer;
let url: string;

beforeAll(async () => {
    await ensureSystemPackages(["curl"]);
    [parts, model] = await Promise.all([startCacheParts(), ModelServer.start()]);
    const { api } = await startHotHost(parts, model);
    url = api.replace(/\/api$/, "");
});
afterAll(() => Promise.all([parts.stop(), model.stop()]));

/**
 * The commands of a document that the hot path answers, in their order: from `curl` to the end of the line that no backslash or open quote
 * continues. `GET /api/batches` needs a lake, and has tests of its own.
 */
function commandsOf(document: string): string[] {
    const text = readFileSync(path.join(projectDir, document), "utf8");
    const blocks = [...text.matchAll(/^```\w*\n(.*?)^```$/gms)].map(([, block = ""]) => block);
    return blocks.flatMap((block) => block.match(/^curl (?:'[^']*'|\\\n|[^'\\\n])*$/gm) ?? []).filter((command) => !command.includes("/api/batches"));
}

async function output(command: string): Promise<string> {
    const [, features = ""] = /"features":(\{[^}]*\})/.exec(commandsOf("docs/http.md")[0] ?? "") ?? [];
    const result = await run("bash", ["-euc", command], { env: { URL: url, KEY: functionKey, FEATURES: features } });
    expect(result.exitCode, result.output).toBe(0);
    return result.output;
}

const answered = (text: string) => answerSchema.parse(JSON.parse(text));
const oneOfTwoIsKnown = (text: string) => {
    expect(answered(text)).toMatchObject({ predictions: [{ playerId: "2" }], errors: [{ playerId: "3", code: "not_found" }] });
};
const isAnswered = (text: string) => {
    expect(answered(text)).toMatchObject({ predictions: [{ playerId: "2" }], errors: [] });
};
const isStored = (text: string) => {
    expect(answered(text)).toMatchObject({ predictions: [{ playerId: "2", source: "cache" }], errors: [] });
};
const isStoredOne = (text: string) => {
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toMatch(/^age: \d+\r$/im);
    expect(text).toContain('{"playerId":"2",');
};
const isProblem = (status: number, detail: RegExp) => (text: string) => {
    const [head = "", body = ""] = text.split("\r\n\r\n").slice(-2);
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(problemSchema.parse(JSON.parse(body))).toMatchObject({ status, detail: expect.stringMatching(detail) as string });
};

describe.each<[string, readonly ((text: string) => void)[]]>([
    [
        "docs/http.md",
        [
            oneOfTwoIsKnown,
            isStored,
            isStoredOne,
            isProblem(400, /\d/),
            isProblem(415, /expected application\/json/),
            (text) => expect(text).toMatch(/^predictions_requests_total\{.*status="200".*\} [1-9]/m),
        ],
    ],
    [
        "README.md",
        [
            isAnswered,
            isStored,
            isStoredOne,
            (text) => expect(JSON.parse(text)).toMatchObject({ checks: expect.arrayContaining([expect.objectContaining({ name: "cache" })]) as unknown }),
            (text) => expect(JSON.parse(text)).toMatchObject({ openapi: "3.1.0" }),
        ],
    ],
])("the commands of %s", (document, expectations) => {
    test("are as many as are held against the running host", () => {
        expect(commandsOf(document)).toHaveLength(expectations.length);
    });

    test("do as written what the text says of them, one after the other", async () => {
        for (const [i, command] of commandsOf(document).entries()) {
            // Metrics are shown from the second second of a process.
            await vi.waitFor(async () => expectations[i]?.(await output(command)), { timeout: 30_000, interval: 250 });
        }
    });
});
