import type { Row } from "../lib";

/** Measures one kind of work. It starts the servers that it needs, in a workshop of its own, and ends them. */
export type Section = (options: {
    /** Small sizes, to see that the section works; its figures say little. */
    readonly quick: boolean;
}) => Promise<Row[]>;
