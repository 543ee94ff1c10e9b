import { randomUUID } from "node:crypto";

/** Where a log goes: files of JSON Lines that are added to. */
export interface AppendFiles {
    create(path: string): Promise<void>;
    append(path: string, text: string): Promise<void>;
}

/** Most text between two writes, in UTF-16 units, some megabytes: what comes on top is left out. */
const mostText = 4_000_000;
const flushMs = 30_000;

/** Collects values and writes them a few times a minute, a file a process and day. Nobody waits for it, and what cannot be written is lost. */
export class JsonLinesLog<T> {
    private lines: string[] = [];
    private length = 0;
    private timer: NodeJS.Timeout | undefined;
    private writing: Promise<void> = Promise.resolve();
    private created: string | undefined;
    private readonly process = randomUUID().slice(0, 8);

    /** @param report told of each write that failed */
    constructor(
        private readonly files: () => Promise<AppendFiles>,
        private readonly now: () => number,
        private readonly report: (error: unknown) => void,
    ) {}

    add(value: T): void {
        const line = `${JSON.stringify(value)}\n`;
        if (this.length + line.length <= mostText) {
            this.lines.push(line);
            this.length += line.length;
        }
        this.timer ??= setTimeout(() => void this.flush(), flushMs).unref();
    }

    /** Writes what there is. */
    flush(): Promise<void> {
        clearTimeout(this.timer);
        this.timer = undefined;
        this.writing = this.writing.then(() => this.write()).catch(this.report);
        return this.writing;
    }

    private async write(): Promise<void> {
        if (this.lines.length === 0) {
            return;
        }
        const text = this.lines.join("");
        this.lines = [];
        this.length = 0;
        const files = await this.files();
        const path = `${new Date(this.now()).toISOString().slice(0, 10)}/${this.process}.jsonl`;
        if (this.created !== path) {
            await files.create(path);
            this.created = path;
        }
        await files.append(path, text);
    }
}
