/**
 * A document's text with what stands between the marks `<!-- name: start -->` and `<!-- name: end -->` replaced.
 *
 * @throws Error naming the document where the marks are missing
 */
export function withMarked(document: string, text: string, name: string, content: string): string {
    const [start, end] = [`<!-- ${name}: start -->`, `<!-- ${name}: end -->`];
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    if (from < 0 || to < from) {
        throw new Error(`${document}: the marks ${start} and ${end} are missing, or in the wrong order`);
    }
    return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`;
}
