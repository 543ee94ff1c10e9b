import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHost } from "../../local/host";
import { maxBodyBytes } from "../../local/host/http-message";
import type { Workshop } from "../../local/parts/workshop";
import { buildFixture, closeTestWorkshop, keys, openTestWorkshop } from "./package";

let workshop: Workshop;
let url: string;
let logFile: string;

beforeAll(async () => {
    workshop = await openTestWorkshop();
    const host = await startHost(workshop, {
        packageDir: await buildFixture(workshop.dir, "http"),
        appSettings: { A_SETTING: "a value" },
        identity: { endpoint: "http://127.0.0.1:1/token", header: "identity-header" },
        keys,
        port: 0,
    });
    url = host.url;
    logFile = host.process.logFile;
});

afterAll(async () => {
    await closeTestWorkshop(workshop);
});

function post(path: string, body: RequestInit["body"], init: RequestInit = {}): Promise<Response> {
    return fetch(url + path, { method: "POST", body, duplex: "half", ...init });
}

/**
 * Announces a body of so many bytes and sends none of it: a host that answers by what was announced ends the connection, and a body
 * on its way then would fail at the sender before the answer is read.
 *
 * @returns the status
 */
function announce(path: string, length: number): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
        const sent = request(url + path, { method: "POST", agent: false, headers: { "content-length": length } }, (answer) => {
            resolve(answer.statusCode);
            sent.destroy();
        });
        sent.once("error", reject).flushHeaders();
    });
}

/** Sends bytes as they are and returns all that comes back. */
function exchange(request: string): Promise<string> {
    return new Promise((resolve, reject) => {
        let answer = "";
        const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(request));
        socket.setEncoding("latin1");
        socket.on("data", (chunk: string) => (answer += chunk));
        socket.once("end", () => {
            resolve(answer);
        });
        socket.once("error", reject);
    });
}

describe("a request", () => {
    it("reaches the handler with its method, URL, parameters, query, headers and body", async () => {
        const path = "/api/echo/player%20%ED%94%8C?a=1&b=x%26y&a=2";
        const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        const answer = await post(path, '{"n":1}', { method: "PUT", headers: { "x-test": "yes", traceparent } });
        expect(answer.status).toBe(200);
        expect(answer.headers.get("content-type")).toBe("application/json");
        expect(await answer.json()).toEqual({
            method: "PUT",
            url: url + path,
            params: { id: "player 플" },
            // As the host of Azure joins a repeated name.
            query: { a: "1,2", b: "x&y" },
            header: "yes",
            body: '{"n":1}',
            invocationId: answer.headers.get("x-ms-invocation-id"),
            traceParent: traceparent,
        });
    });

    it("may have no body, an empty one, or one in chunks", async () => {
        const text = async (init: RequestInit) => {
            const answer = await fetch(`${url}/api/echo/1`, { method: "POST", ...init });
            return ((await answer.json()) as { body: string }).body;
        };
        expect(await text({})).toBe("");
        expect(await text({ body: "" })).toBe("");
        const chunks = ReadableStream.from([Buffer.from("one,"), Buffer.from("two")]);
        expect(await text({ body: chunks, duplex: "half" })).toBe("one,two");
    });

    it("keeps bytes as they are", async () => {
        const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
        const answer = await post("/api/bytes", bytes);
        expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes.reverse());
    });

    it("may be large, up to the limit of Azure", async () => {
        const large = Buffer.alloc(8 * 1024 * 1024, 1);
        expect(await (await post("/api/size", large)).text()).toBe(String(large.length));
        expect(await announce("/api/size", maxBodyBytes + 1)).toBe(413);
    });

    it("is refused with 413 in the middle of a body whose length was not told", async () => {
        const chunk = Buffer.alloc(4 * 1024 * 1024);
        const chunks = ReadableStream.from(Array.from({ length: 26 }, () => chunk));
        expect((await post("/api/size", chunks)).status).toBe(413);
    });

    it("without a proper Host header is refused", async () => {
        expect(await exchange("GET /api/text HTTP/1.1\r\nHost: a b\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
    });

    it("is one of many at a time, each with its own answer", async () => {
        const bodies = await Promise.all(
            Array.from({ length: 200 }, async (_, index) => {
                const answer = await post(`/api/echo/${index}`, `body ${index}`);
                const { params, body } = (await answer.json()) as { params: { id: string }; body: string };
                return `${params.id} ${body}`;
            }),
        );
        expect(bodies).toEqual(Array.from({ length: 200 }, (_, index) => `${index} body ${index}`));
    });
});

describe("a response", () => {
    it("has the handler's text, and the length in bytes", async () => {
        const answer = await fetch(`${url}/api/text`);
        expect(answer.headers.get("content-length")).toBe("12");
        expect(answer.headers.get("content-type")).toBe("text/plain;charset=UTF-8");
        expect(await answer.text()).toBe("플레이어");
    });

    it("has no body to HEAD, and the same headers", async () => {
        const answer = await fetch(`${url}/api/text`, { method: "HEAD" });
        expect([answer.status, answer.headers.get("content-length"), await answer.text()]).toEqual([200, "12", ""]);
    });

    it("has the handler's status, headers and cookies, and a connection of the host's own", async () => {
        const answer = await fetch(`${url}/api/custom`);
        expect(answer.status).toBe(418);
        expect(answer.headers.get("x-reply")).toBe("yes");
        expect(answer.headers.get("content-type")).toBe("application/problem+json");
        expect(answer.headers.get("connection")).not.toBe("upgrade");
        expect(answer.headers.getSetCookie()).toEqual([
            "a=1%202; Max-Age=60; Path=/; SameSite=Strict; Secure; HttpOnly",
            "b=2; Expires=Tue, 01 Jan 2030 00:00:00 GMT",
        ]);
    });

    it("is 204 where the handler gave none", async () => {
        const answer = await fetch(`${url}/api/nothing`);
        expect([answer.status, await answer.text()]).toEqual([204, ""]);
    });

    it.each(["fails", "wrong"])("is 500 without a word where the handler %s, and the log says why", async (name) => {
        const answer = await fetch(`${url}/api/${name}`);
        expect([answer.status, await answer.text()]).toEqual([500, ""]);
        const id = answer.headers.get("x-ms-invocation-id");
        const start = ` error ${name} ${id} Executed 'Functions.${name}' (Failed, Id=${id})`;
        const line = (await readLog()).find((text) => text.includes(start));
        expect(line).toMatch(name === "fails" ? "Error: the fixture failed | on two lines | at " : "The HTTP response must be an object");
    });
});

describe("a request for what is not there", () => {
    it.each([
        ["GET", "/api/unknown"],
        ["GET", "/text"],
        ["GET", "/"],
        ["GET", "/api/echo/1"],
        ["DELETE", "/api/text"],
        ["OPTIONS", "/api/text"],
        ["HEAD", "/api/nothing"],
    ])("%s %s is 404", async (method, path) => {
        const answer = await fetch(url + path, { method });
        expect([answer.status, await answer.text()]).toEqual([404, ""]);
    });
});

describe("keys", () => {
    const get = async (path: string, key?: string) => {
        const headers: Record<string, string> = key === undefined ? {} : { "x-functions-key": key };
        return (await fetch(url + path, { headers })).status;
    };

    it("open what they are for", async () => {
        expect(await get("/api/keyed")).toBe(401);
        expect(await get("/api/keyed", "wrong")).toBe(401);
        expect(await get("/api/keyed", keys.functionKey)).toBe(200);
        expect(await get("/api/keyed", keys.masterKey)).toBe(200);
        expect(await get(`/api/keyed?code=${keys.functionKey}`)).toBe(200);
        expect(await get("/api/administered", keys.functionKey)).toBe(401);
        expect(await get("/api/administered", keys.masterKey)).toBe(200);
    });

    it("of the function do not open the administration", async () => {
        for (const path of ["/admin/host/status", "/admin/functions", "/admin/unknown"]) {
            expect(await get(path)).toBe(401);
            expect(await get(path, keys.functionKey)).toBe(401);
        }
        expect(await get("/admin/unknown", keys.masterKey)).toBe(404);
    });
});

describe("the administration", () => {
    const headers = { "x-functions-key": keys.masterKey };

    it("says what runs", async () => {
        expect(await (await fetch(`${url}/admin/host/status`, { headers })).json()).toMatchObject({
            state: "Running",
            functions: ["echo", "bytes", "size", "text", "nothing", "custom", "fails", "wrong", "keyed", "administered", "environment"],
        });
        const functions = (await (await fetch(`${url}/admin/functions`, { headers })).json()) as { name: string; config: unknown }[];
        expect(functions.find(({ name }) => name === "keyed")?.config).toMatchObject({
            bindings: [{ type: "httpTrigger", authLevel: "function", methods: ["GET"] }, { name: "$return", type: "http" }],
        });
    });

    it("triggers no HTTP function, and none that is not there", async () => {
        expect((await fetch(`${url}/admin/functions/text`, { method: "POST", headers, body: "{}" })).status).toBe(400);
        expect((await fetch(`${url}/admin/functions/unknown`, { method: "POST", headers, body: "{}" })).status).toBe(404);
    });
});

it("the environment of the handlers is their settings and the platform's, and nothing of the parent's", async () => {
    const environment = (await (await fetch(`${url}/api/environment`)).json()) as Record<string, string>;
    expect(Object.keys(environment).sort()).toEqual([
        "AZURE_FUNCTIONS_ENVIRONMENT",
        "A_SETTING",
        "AzureWebJobsScriptRoot",
        "FUNCTIONS_EXTENSION_VERSION",
        "FUNCTIONS_WORKER_RUNTIME",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "NODE_EXTRA_CA_CERTS",
        "PATH",
        "TZ",
        "WEBSITE_HOSTNAME",
    ]);
    expect(environment).toMatchObject({
        A_SETTING: "a value",
        IDENTITY_HEADER: "identity-header",
        NODE_EXTRA_CA_CERTS: workshop.certificate.certFile,
        WEBSITE_HOSTNAME: new URL(url).host,
    });
});

async function readLog(): Promise<string[]> {
    return (await readFile(logFile, "utf8")).split("\n");
}
