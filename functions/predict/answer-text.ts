import type { Prediction, Segment } from "../prediction";
import type { AnsweredPrediction, PlayerError } from "./answer";
import { promotionOf } from "./promotions";

/** A player's prediction, and what the answer says of where it comes from. */
export interface Answered {
    readonly prediction: Prediction;
    readonly source: AnsweredPrediction["source"];
}

/** What a request is answered with; both lists in the order of the request. */
export interface Answer {
    readonly predictions: readonly Answered[];
    readonly errors: readonly PlayerError[];
}

/*
 * The JSON of `answerSchema` is put together from pieces: for the thousand players of a request `JSON.stringify` takes three times as long,
 * most of it for the digits of the probabilities. The tests hold it against the schema and `JSON.stringify`.
 */

/** The JSON of an answer, as `answerSchema` has it. */
export function answerText({ predictions, errors }: Answer): string {
    return `{"predictions":[${predictions.map(predictionText).join(",")}],"errors":${JSON.stringify(errors)}}`;
}

/** The JSON of one prediction, as `predictionSchema` has it. */
export function predictionText({ prediction, source }: Answered): string {
    const { playerId, churn, purchase, segment, modelVersion, scoredAt } = prediction;
    return (
        `{"playerId":${quoted(playerId)},` +
        `"churn":{"label":${churn.label},"probability":${digits(churn.probability)}},` +
        `"purchase":{"label":${purchase.label},"probability":${digits(purchase.probability)}},` +
        `${segmentText(segment, modelVersion)},"scoredAt":"${scoredAt}","source":"${source}"}`
    );
}

/** Besides quotes and backslashes: control characters and surrogates. */
const mustBeEscaped = /["\\]|[^\u0020-\ud7ff\ue000-\uffff]/;

function quoted(text: string): string {
    return mustBeEscaped.test(text) ? JSON.stringify(text) : `"${text}"`;
}

const threeDigits = Array.from({ length: 1_000 }, (_, i) => String(i).padStart(3, "0"));
const threeLastDigits = threeDigits.map((text) => text.replace(/0+$/, ""));

/** A number from 0 to 1 as JavaScript writes it; fast where it has six decimals, as probabilities have. */
export function digits(probability: number): string {
    const millionths = Math.round(probability * 1_000_000);
    if (millionths / 1_000_000 !== probability || millionths <= 0 || millionths >= 1_000_000) {
        return String(probability);
    }
    const low = millionths % 1_000;
    const high = (millionths - low) / 1_000;
    return `0.${low === 0 ? threeLastDigits[high] : `${threeDigits[high]}${threeLastDigits[low]}`}`;
}

/** A model has a handful of segments, and a process sees few models. */
const segmentTexts = new Map<string, { readonly name: string; readonly text: string }[]>();
const mostVersions = 10;

/** What is the same for all players of a segment. */
function segmentText({ id, name }: Segment, modelVersion: string): string {
    let ofVersion = segmentTexts.get(modelVersion);
    if (ofVersion === undefined) {
        if (segmentTexts.size >= mostVersions) {
            segmentTexts.clear();
        }
        ofVersion = [];
        segmentTexts.set(modelVersion, ofVersion);
    }
    let known = ofVersion[id];
    if (known?.name !== name) {
        const body = JSON.stringify({ segment: { id, name }, promotion: promotionOf(name), modelVersion });
        known = ofVersion[id] = { name, text: body.slice(1, -1) };
    }
    return known.text;
}
