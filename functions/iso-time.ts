const dayMs = 86_400_000;
const twoDigits = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, "0"));

/** The last time that was written, and its day: those of the next one too, mostly. */
let last = NaN;
let lastText = "";
let lastDay = NaN;
let dateText = "";

/**
 * A time as `Date.prototype.toISOString` writes it, at a tenth of its cost: the predictions of a request have a thousand of them.
 *
 * @param milliseconds since 1970
 */
export function isoTime(milliseconds: number): string {
    if (milliseconds === last) {
        return lastText;
    }
    const day = Math.floor(milliseconds / dayMs);
    if (day !== lastDay) {
        const midnight = new Date(day * dayMs).toISOString();
        dateText = midnight.slice(0, midnight.indexOf("T") + 1);
        lastDay = day;
    }
    const time = milliseconds - day * dayMs;
    const ms = time % 1_000;
    const seconds = (time - ms) / 1_000;
    const second = seconds % 60;
    const minute = ((seconds - second) / 60) % 60;
    const hour = (seconds - second - minute * 60) / 3_600;
    const fraction = ms < 10 ? `00${ms}` : ms < 100 ? `0${ms}` : ms;
    last = milliseconds;
    lastText = `${dateText}${twoDigits[hour]}:${twoDigits[minute]}:${twoDigits[second]}.${fraction}Z`;
    return lastText;
}
