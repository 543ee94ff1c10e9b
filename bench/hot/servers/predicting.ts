import { answerText, predictionText } from "../../../functions/predict/answer-text";
import { createPredictParts } from "../../../functions/predict/parts";
import { predict } from "../../../functions/predict/predict";
import { parseRequest, playerIdSchema, type PredictRequest } from "../../../functions/predict/request";
import { services } from "../../../functions/services";
import { listen } from "./listen";

const parts = createPredictParts(services);
const encoder = new TextEncoder();
const prefix = "/api/predictions/";

/** The predicting function of the handlers, without the host and without `@azure/functions`. */
listen(async ({ url = "" }, body) => {
    const one = url.startsWith(prefix);
    const request: PredictRequest = one
        ? { players: [{ playerId: playerIdSchema.parse(decodeURIComponent(url.slice(prefix.length))) }], match: "player" }
        : parseRequest(body);
    const call = { deadline: Date.now() + parts.deadlineMs, log: (fault: Error) => console.error(fault.message) };
    const answer = await predict(request, parts, call);
    if (answer.errors.length > 0) {
        throw new Error(JSON.stringify(answer.errors.slice(0, 3)));
    }
    const [first] = answer.predictions;
    return encoder.encode(one && first ? predictionText(first) : answerText(answer));
});
