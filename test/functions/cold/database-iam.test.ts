import tls from "node:tls";
import { generate } from "selfsigned";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createDatabase } from "../../../functions/clients/database";
import { DatabaseError } from "../../../functions/clients/database-errors";
import { localData } from "../../../functions/clients/database-session";
import { startWireServer, type WireServer } from "./mysql-wire";

const credentials = () => Promise.resolve({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret", sessionToken: "session" });

function databaseAt(server: WireServer, host = "127.0.0.1") {
    return createDatabase(
        {
            AWS_REGION: "eu-west-1",
            DATABASE_HOST: host,
            DATABASE_PORT: server.port,
            DATABASE_NAME: "game",
            DATABASE_USER: "predictions",
            DATABASE_AUTH: "iam",
            DATABASE_PASSWORD: "",
        },
        credentials,
    );
}

async function certificateFor(...altNames: ({ type: 2; value: string } | { type: 7; ip: string })[]) {
    const made = await generate([{ name: "commonName", value: "wire" }], {
        keySize: 2048,
        extensions: [
            { name: "basicConstraints", cA: true },
            { name: "subjectAltName", altNames },
        ],
    });
    return { key: made.private, cert: made.cert };
}

const ofLoopback = () => certificateFor({ type: 2, value: "localhost" }, { type: 7, ip: "127.0.0.1" });

function trust(...certificates: string[]): void {
    vi.spyOn(tls, "getCACertificates").mockReturnValue(certificates);
}

describe("a database with IAM authentication", () => {
    let server: WireServer | undefined;
    afterEach(async () => {
        vi.restoreAllMocks();
        await server?.stop();
    });

    test("gets an RDS token a connection, over TLS", async () => {
        const certificate = await ofLoopback();
        trust(certificate.cert);
        server = await startWireServer(certificate);
        const database = databaseAt(server);
        await Promise.all([database.ping(), database.ping()]);
        await database.close();

        expect(server.passwords).toHaveLength(2);
        for (const password of server.passwords) {
            const token = new URL(`https://${password}`);
            expect(token.host).toBe(`127.0.0.1:${server.port}`);
            expect(token.searchParams.get("Action")).toBe("connect");
            expect(token.searchParams.get("DBUser")).toBe("predictions");
            expect(token.searchParams.get("X-Amz-Expires")).toBe("900");
            expect(token.searchParams.get("X-Amz-Credential")).toMatch(/^AKIDEXAMPLE\/\d{8}\/eu-west-1\/rds-db\/aws4_request$/u);
            expect(token.searchParams.get("X-Amz-Security-Token")).toBe("session");
        }
    });

    test.each([
        ["does not offer TLS", async () => ({ server: await startWireServer(), trusted: [] }), "HANDSHAKE_NO_SSL_SUPPORT"],
        ["is not trusted", async () => ({ server: await startWireServer(await ofLoopback()), trusted: [] }), "HANDSHAKE_SSL_ERROR"],
        [
            "has another one's certificate",
            async () => {
                const certificate = await certificateFor({ type: 2, value: "elsewhere.example" });
                return { server: await startWireServer(certificate), trusted: [certificate.cert] };
            },
            "HANDSHAKE_SSL_ERROR",
        ],
    ])("gives no token to a server that %s", async (_name, start, code) => {
        const started = await start();
        server = started.server;
        trust(...started.trusted);
        for (const host of ["127.0.0.1", "localhost"]) {
            const database = databaseAt(server, host);
            const failure: unknown = await database.ping().catch((error: unknown) => error);
            expect(failure).toBeInstanceOf(DatabaseError);
            expect(failure).toMatchObject({ code });
            await database.close();
        }
        expect(server.passwords).toEqual([]);
    });

    test.each([
        ["another file than the statement's", "LOAD DATA LOCAL", /the server asked for the file "\/etc\/passwd" instead of "player-predictions"/u],
        ["a file in answer to a statement that has none", "SELECT", /\/etc\/passwd/u],
    ])("gives no content to a server that asks for %s", async (_what, on, message) => {
        const certificate = await ofLoopback();
        trust(certificate.cert);
        server = await startWireServer(certificate);
        server.asks = { on, file: "/etc/passwd" };
        const database = databaseAt(server);
        const failure: unknown = await database
            .session<unknown>((session) =>
                on === "SELECT"
                    ? session.run("SELECT 1")
                    : session.loadLocal(`LOAD DATA LOCAL INFILE '${localData}' INTO TABLE t (a)`, Buffer.from("secret rows"), 1),
            )
            .catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(DatabaseError);
        expect((failure as Error).message).toMatch(message);
        expect(Buffer.concat(server.uploaded)).toHaveLength(0);
        await database.close();
        await vi.waitFor(() => expect(server?.open).toBe(0), { timeout: 30_000 });
    });
});
