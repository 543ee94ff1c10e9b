/** A value as an error message shows it: short, whatever was sent. */
export function show(value: unknown): string {
    if (typeof value === "string") {
        return JSON.stringify(cut(value));
    }
    if (Array.isArray(value)) {
        return "a list";
    }
    if (typeof value === "object" && value !== null) {
        return "an object";
    }
    return typeof value === "number" || typeof value === "boolean" || value === null ? String(value) : typeof value;
}

/** The beginning of a text that someone else chose the length of. */
export function cut(text: string): string {
    return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
