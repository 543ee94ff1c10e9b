import { app } from "@azure/functions";
import { lakeConnection, queues } from "./contracts";
import { getBatches } from "./batches/handler";
import { getDocs, getDocsFile } from "./docs/page";
import { watchDrift } from "./drift/handler";
import { getHealth } from "./health/handler";
import { ingestLogs } from "./ingest/handler";
import { loadFile } from "./load/handler";
import { getMetrics, getOpenApi, getPrediction, postPredictions } from "./predict/handler";
import { followJob, reconcileBatches } from "./reconcile/handler";
import { retrainModels } from "./retrain/handler";
import { scoreFolder } from "./score/handler";

app.http("predict", { route: "predictions", methods: ["POST"], authLevel: "function", handler: postPredictions });
app.http("prediction", { route: "predictions/{playerId}", methods: ["GET"], authLevel: "function", handler: getPrediction });
app.http("openapi", { route: "openapi.json", methods: ["GET"], authLevel: "anonymous", handler: getOpenApi });
app.http("docs", { route: "docs", methods: ["GET"], authLevel: "anonymous", handler: getDocs });
app.http("docsFile", { route: "docs/{file}", methods: ["GET"], authLevel: "anonymous", handler: getDocsFile });
app.http("metrics", { route: "metrics", methods: ["GET"], authLevel: "function", handler: getMetrics });
app.http("health", { route: "health", methods: ["GET"], authLevel: "anonymous", handler: getHealth });
app.http("batches", { route: "batches", methods: ["GET"], authLevel: "function", handler: getBatches });

app.timer("ingest", { schedule: "%INGEST_SCHEDULE%", handler: ingestLogs });
app.timer("reconcile", { schedule: "%RECONCILE_SCHEDULE%", handler: reconcileBatches });
app.timer("drift", { schedule: "%DRIFT_SCHEDULE%", handler: watchDrift });
app.timer("retrain", { schedule: "%RETRAIN_SCHEDULE%", handler: retrainModels });

app.storageQueue("score", { queueName: queues.foldersReady, connection: lakeConnection, handler: scoreFolder });
app.storageQueue("load", { queueName: queues.predictionsReady, connection: lakeConnection, handler: loadFile });
app.storageQueue("jobs", { queueName: queues.jobsChanged, connection: lakeConnection, handler: followJob });
