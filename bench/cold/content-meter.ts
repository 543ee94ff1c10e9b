import { subscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";
import { containers } from "../../functions/contracts";

/** Counts the bytes of objects' content that this process receives or sends by `node:http`, whoever does it. Heads, listings and block lists are none. */
export class ContentMeter {
    bytes = 0;

    constructor() {
        subscribe("http.client.request.start", (message) => {
            const { request } = message as { request: ClientRequest };
            if (writesContent(request)) {
                this.bytes += Number(request.getHeader("content-length") ?? 0);
            }
        });
        subscribe("http.client.response.finish", (message) => {
            const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
            if (readsContent(request)) {
                // A listener for data would start the stream: each piece passes here before it is anybody's.
                const push = response.push.bind(response);
                response.push = (piece: Buffer | null, encoding) => {
                    this.bytes += piece?.length ?? 0;
                    return push(piece, encoding);
                };
            }
        });
    }
}

/** Put Blob and Put Block into the container of the logs. */
function writesContent({ method, path }: ClientRequest): boolean {
    return method === "PUT" && path.includes(`/${containers.logs}/`) && !path.includes("comp=blocklist");
}

/** Of S3, `/<bucket>/<key>`: a request that is signed for it. */
function readsContent(request: ClientRequest): boolean {
    const { method, path } = request;
    return method === "GET" && /^\/[^/?]+\/[^?]/u.test(path) && String(request.getHeader("authorization")).startsWith("AWS4-HMAC-SHA256 ");
}
