import { app } from "@azure/functions";
import { Redis } from "ioredis";

const redis = new Redis({
    host: "127.0.0.1",
    port: Number(process.env["REDIS_PORT"]),
    password: process.env["REDIS_PASSWORD"],
    tls: {},
    enableAutoPipelining: true,
});

/** The least that a handler can do: one GET, and what it gave as the answer. */
app.http("bare", {
    route: "predictions/{playerId}",
    methods: ["GET"],
    authLevel: "function",
    handler: async (request) => {
        const body = await redis.get(`j:${request.params["playerId"] ?? ""}`);
        return { body: body ?? undefined, headers: { "content-type": "application/json" } };
    },
});
