/** GitHub refuses a comment of more characters. */
export const commentLimit = 65_536;

/** Most characters of one quoted text. */
const quoteLimit = 300;

/**
 * A text as a code span on one line. Nothing in it is Markdown, HTML or a mention to GitHub then, whoever wrote it: the fence is longer than
 * any run of backticks in it, and what does not show (line breaks, controls, marks that turn the direction of writing) is spelled out.
 */
export function codeSpan(text: string): string {
    if (text === "") {
        return "*empty*";
    }
    const visible = shortened(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
    const longestRun = Math.max(0, ...[...visible.matchAll(/`+/g)].map(([run]) => run.length));
    const fence = "`".repeat(longestRun + 1);
    // A space at both ends is not part of a code span, which lets it start or end with a backtick; one that is part needs another.
    const padding = /^[` ]|[` ]$/.test(visible) ? " " : "";
    return `${fence}${padding}${visible}${padding}${fence}`;
}

function shortened(text: string): string {
    return text.length <= quoteLimit ? text : `${text.slice(0, quoteLimit).toWellFormed()}... (${text.length} characters)`;
}

/**
 * The lines as one text of at most `limit` characters. What is important comes first: lines are left out from the end, and a last line says
 * how many.
 */
export function cutToLimit(lines: readonly string[], limit = commentLimit): string {
    const whole = `${lines.join("\n")}\n`;
    if (whole.length <= limit) {
        return whole;
    }
    const noteOf = (left: number): string => `\n**Cut:** ${left} of ${lines.length} lines are left out to stay within ${limit} characters.\n`;
    let kept = 0;
    let length = noteOf(lines.length).length;
    for (const line of lines) {
        if (length + line.length + 1 > limit) {
            break;
        }
        length += line.length + 1;
        kept += 1;
    }
    return [...lines.slice(0, kept), noteOf(lines.length - kept)].join("\n");
}
