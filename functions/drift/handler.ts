import type { TimerHandler } from "@azure/functions";
import { services } from "../services";

/** Timer: compares the players that were scored last with those that the model was trained on. */
export const watchDrift: TimerHandler = async (_timer, context) => {
    const [{ drift }, telemetry] = await Promise.all([services.coldPath(), services.telemetry()]);
    await drift(telemetry.meter, (line) => context.log(line));
    // The next regular export may find the instance gone.
    await telemetry.flush();
};
