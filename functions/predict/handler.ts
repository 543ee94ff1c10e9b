import { services } from "../services";
import { createPredictHandlers } from "./http";

export const { postPredictions, getPrediction, getOpenApi } = createPredictHandlers(services);
