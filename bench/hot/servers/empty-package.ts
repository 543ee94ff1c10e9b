import { app } from "@azure/functions";

/** Needs nothing: what it takes to answer is what the host and Node.js take. */
app.http("empty", { route: "predictions/{playerId}", methods: ["GET"], authLevel: "function", handler: () => ({ body: "{}" }) });
