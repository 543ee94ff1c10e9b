import * as grpc from "@grpc/grpc-js";

/** A service of the engine's protocol that answers in this process. */
export interface Served {
    readonly port: number;
    stop(): void;
}

/** Serves on a free port of this machine; messages may be of any size, as assets are. */
export async function serve(service: grpc.ServiceDefinition, implementation: grpc.UntypedServiceImplementation): Promise<Served> {
    const server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
    server.addService(service, implementation);
    const port = await new Promise<number>((resolve, reject) => {
        server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)));
    });
    return { port, stop: () => server.forceShutdown() };
}

/** A method that answers each request once. What it throws is the caller's error. */
export function unary<Request, Response>(answer: (request: Request) => Response | Promise<Response>): grpc.handleUnaryCall<Request, Response> {
    return (call, callback) => {
        Promise.resolve()
            .then(() => answer(call.request))
            .then(
                (response) => callback(null, response),
                (error: unknown) => callback({ code: grpc.status.UNKNOWN, details: error instanceof Error ? error.message : String(error) }),
            );
    };
}
