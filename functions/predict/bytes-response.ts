import { HttpResponse } from "@azure/functions";

const encoder = new TextEncoder();

/**
 * A response of bytes that are there already. The library makes a `Response` of each body, whose stream it then reads to its end to get the
 * bytes back; that costs more than finding a prediction. It takes a response of its own class as it is, and so this one hands them over.
 * Not for HTTP streaming (`enableHttpStream`), which reads `body`.
 */
export class BytesResponse extends HttpResponse {
    override readonly arrayBuffer: () => Promise<ArrayBuffer>;
    override readonly text: () => Promise<string>;
    override readonly json: () => Promise<unknown>;

    constructor(bytes: ArrayBuffer, headers: Readonly<Record<string, string>>, status = 200) {
        super({ status, headers });
        this.arrayBuffer = () => Promise.resolve(bytes);
        this.text = () => Promise.resolve(new TextDecoder().decode(bytes));
        this.json = async () => JSON.parse(await this.text()) as unknown;
    }
}

/** A text as the bytes of a body. */
export function bytesOf(text: string): ArrayBuffer {
    return encoder.encode(text).buffer;
}
