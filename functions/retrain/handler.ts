import type { TimerHandler } from "@azure/functions";
import { services } from "../services";

/** Timer: has Azure ML train the models again on the players of the training folder. */
export const retrainModels: TimerHandler = async (_timer, context) => {
    const { retrain } = await services.coldPath();
    await retrain((line) => context.log(line));
};
