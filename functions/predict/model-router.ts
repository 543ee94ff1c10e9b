import type { ModelAnswers, ModelBatches } from "./model-batches";
import type { Question } from "./model-questions";

/** Who is asked about a request's players. */
export type ModelAsker = Pick<ModelBatches, "ask">;

/**
 * Asks the challenger about its share of the players and the model in service about the others, at the same time. A player about whom the
 * challenger says nothing is not worse off for it: the model in service is asked as well.
 *
 * @param isChallenged whether a player is in the challenger's share
 */
export function routed(live: ModelAsker, challenger: ModelAsker, isChallenged: (playerId: string) => boolean): ModelAsker {
    return {
        async ask(questions, deadline, maxAgeMs) {
            const places = { live: [] as number[], challenger: [] as number[] };
            questions.forEach(({ playerId }, i) => places[isChallenged(playerId) ? "challenger" : "live"].push(i));
            const at = (indices: readonly number[]) => indices.map((i) => questions[i] as Question);
            const ask = async (model: ModelAsker, indices: readonly number[]): Promise<ModelAnswers> =>
                indices.length === 0 ? nothing : model.ask(at(indices), deadline, maxAgeMs);

            const [byLive, byChallenger] = await Promise.all([ask(live, places.live), ask(challenger, places.challenger)]);
            const failed = places.challenger.filter((_, i) => faulty(byChallenger, i));
            const instead = await ask(live, failed);

            const answers = new Map([
                ...zip(places.live, byLive),
                ...zip(places.challenger, byChallenger),
                ...zip(failed, instead).filter(([, answer]) => !("fault" in answer)),
            ]);
            return {
                answers: questions.map((_, i) => answers.get(i) ?? { fault: new Error("a question was not asked") }),
                stored: Promise.all([byLive.stored, byChallenger.stored, instead.stored]).then((errors) => errors.find((error) => error !== undefined)),
            };
        },
    };
}

const nothing: ModelAnswers = { answers: [], stored: Promise.resolve() };

function faulty({ answers }: ModelAnswers, i: number): boolean {
    const answer = answers[i];
    return answer !== undefined && "fault" in answer;
}

function zip(places: readonly number[], { answers }: ModelAnswers): [number, ModelAnswers["answers"][number]][] {
    return answers.map((answer, i) => [places[i] ?? -1, answer]);
}
