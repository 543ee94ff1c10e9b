import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSourceBucket, type SourceObject } from "../../../functions/clients/source-bucket";

/** A page of a listing as S3 writes it. */
function page(keys: readonly string[], next?: string): string {
    const size = (key: string) => (key.endsWith("/") ? 0 : 1);
    const contents = keys.map((key) => `<Contents><Key>${key}</Key><ETag>&quot;e&quot;</ETag><Size>${size(key)}</Size></Contents>`);
    const more = next === undefined ? "" : `<NextContinuationToken>${next}</NextContinuationToken>`;
    return `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>logs</Name>
        <IsTruncated>${next !== undefined}</IsTruncated>${more}${contents.join("")}</ListBucketResult>`;
}

describe("the source bucket", () => {
    let server: Server;
    let requests: URL[];
    let answer: (request: URL) => { status: number; body: string };
    beforeEach(async () => {
        requests = [];
        server = createServer((request, response) => {
            const url = new URL(request.url ?? "", "http://s3");
            requests.push(url);
            const { status, body } = answer(url);
            response.writeHead(status, { "content-type": "application/xml" }).end(body);
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    });
    afterEach(() => {
        server.closeAllConnections();
        server.close();
    });

    function bucket() {
        return createSourceBucket(
            {
                AWS_REGION: "eu-west-1",
                S3_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
                SOURCE_BUCKET: "logs",
                SOURCE_PREFIX: "players/",
            },
            () => Promise.resolve({ accessKeyId: "key", secretAccessKey: "secret" }),
        );
    }

    async function listed(): Promise<string[]> {
        const objects: SourceObject[] = [];
        for await (const object of bucket().list()) {
            objects.push(object);
        }
        return objects.map(({ key }) => key);
    }

    test("is listed to its end: an empty page with a next marker is none", async () => {
        const pages = [page(["players/a"], "1"), page([], "2"), page([], "3"), page(["players/b/", "players/b/c"])];
        answer = (request) => ({ status: 200, body: pages[Number(request.searchParams.get("continuation-token") ?? 0)] ?? "" });
        expect(await listed()).toEqual(["players/a", "players/b/c"]);
        expect(requests.map(({ pathname, searchParams }) => [pathname, searchParams.get("prefix")])).toEqual(
            pages.map(() => ["/logs/", "players/"]),
        );
    });

    test("that breaks off within the listing is an error, not an end", async () => {
        answer = (request) =>
            request.searchParams.has("continuation-token")
                ? { status: 403, body: "<Error><Code>ExpiredToken</Code></Error>" }
                : { status: 200, body: page(["players/a"], "1") };
        await expect(listed()).rejects.toMatchObject({ name: "SourceBucketError", retryable: false });
    });

    test("says whether it can be listed, with one key", async () => {
        answer = () => ({ status: 200, body: page([]) });
        await bucket().ping();
        expect(requests[0]?.searchParams.get("max-keys")).toBe("1");
        answer = () => ({ status: 403, body: "<Error><Code>AccessDenied</Code></Error>" });
        await expect(bucket().ping()).rejects.toMatchObject({ retryable: false, message: expect.stringContaining("logs") as string });
    });
});
