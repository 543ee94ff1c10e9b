/** Texts that are kept: more kinds are no column of few, and start again. */
const mostKept = 1_000;

/** The same function of a text, which looks at one once: a column's values are often the same few, or the one of the row before. */
export function remembering(look: (text: string) => string): (text: string) => string {
    const known = new Map<string, string>();
    let lastText: string | undefined;
    let last = "";
    return (text) => {
        if (text !== lastText) {
            const before = known.get(text);
            last = before ?? look(text);
            lastText = text;
            if (before === undefined) {
                if (known.size === mostKept) {
                    known.clear();
                }
                known.set(text, last);
            }
        }
        return last;
    };
}
