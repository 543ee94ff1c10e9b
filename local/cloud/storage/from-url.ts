import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import http from "node:http";
import https from "node:https";
import tls from "node:tls";

/** Of the URL that is read: 2 KiB (https://learn.microsoft.com/rest/api/storageservices/put-block-from-url). */
const maxUrlLength = 2_048;

/** The service would not read the source: what it answers instead. */
export class SourceRefusal extends Error {
    override readonly name = "SourceRefusal";

    constructor(
        readonly status: number,
        readonly code: string,
        message: string,
    ) {
        super(message);
    }
}

/** The content of a source, as an answer to the request that the emulator understands instead. */
export interface SourceContent {
    readonly body: IncomingMessage;
    /** Of the request with the body: the same, with the content's length and what is to be compared, and without what told of the source. */
    readonly headers: IncomingHttpHeaders;
}

/**
 * Whether the request has the service read from a URL, of whatever place: Put Block From URL and Put Blob From URL. Azurite knows the first for
 * sources of its own alone, and not the second.
 *
 * @see https://learn.microsoft.com/rest/api/storageservices/put-block-from-url
 * @see https://learn.microsoft.com/rest/api/storageservices/put-blob-from-url
 */
export function readsFromUrl(method: string, target: string, headers: IncomingHttpHeaders): boolean {
    if (method !== "PUT" || headers["x-ms-copy-source"] === undefined) {
        return false;
    }
    const operation = new URL(target, "https://storage.invalid").searchParams.get("comp");
    return operation === "block" || (operation === null && headers["x-ms-blob-type"] === "BlockBlob");
}

/**
 * Asks the source for its content.
 *
 * @param ca certificate that is trusted beside the usual ones
 * @throws SourceRefusal when it does not give it
 */
export async function openSource(headers: IncomingHttpHeaders, ca: string): Promise<SourceContent> {
    if (Number(headers["content-length"] ?? 0) !== 0) {
        throw new SourceRefusal(400, "InvalidHeaderValue", "Content-Length must be 0: the content is read from the URL.");
    }
    const url = String(headers["x-ms-copy-source"]);
    if (url.length > maxUrlLength) {
        throw new SourceRefusal(400, "InvalidHeaderValue", `x-ms-copy-source has more than ${maxUrlLength} characters.`);
    }
    const source = URL.parse(url);
    if (source === null) {
        throw new SourceRefusal(400, "InvalidHeaderValue", "x-ms-copy-source is no URL.");
    }
    // The service asks for these under another name: https://github.com/wellcomecollection/platform/issues/4776
    if (source.pathname.endsWith(".") || source.pathname.includes("%2B")) {
        throw new SourceRefusal(403, "CannotVerifyCopySource", "Forbidden");
    }
    const asked = { "x-ms-source-range": "range", "x-ms-source-if-match": "if-match", "x-ms-source-if-none-match": "if-none-match" };
    const body = await get(source, ca, renamed(headers, asked));
    const status = body.statusCode ?? 0;
    if (status !== 200 && status !== 206) {
        body.resume();
        throw status === 412
            ? new SourceRefusal(412, "SourceConditionNotMet", "The source condition is not met.")
            : new SourceRefusal(status, "CannotVerifyCopySource", `The source answered with status ${status}.`);
    }
    const kept = Object.entries(headers).filter(([name]) => !/^x-ms-(?:copy-source|source-)|^content-length$/u.test(name));
    return {
        body,
        headers: {
            ...Object.fromEntries(kept),
            ...renamed(headers, { "x-ms-source-content-md5": "content-md5", "x-ms-source-content-crc64": "x-ms-content-crc64" }),
            "content-length": body.headers["content-length"],
        },
    };
}

function get(url: URL, ca: string, headers: Record<string, string>): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
        const refuse = () => reject(new SourceRefusal(404, "CannotVerifyCopySource", "The source could not be reached."));
        const request =
            url.protocol === "https:"
                ? https.get(url, { headers, ca: [...tls.rootCertificates, ca] }, resolve)
                : http.get(url, { headers }, resolve);
        request.on("error", refuse);
    });
}

/** The headers that are there, under their names for somebody else. */
function renamed(headers: IncomingHttpHeaders, names: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(
        Object.entries(names).flatMap(([from, to]) => (headers[from] === undefined ? [] : [[to, String(headers[from])]])),
    );
}
