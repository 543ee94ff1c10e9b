import { readFileSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { NotAPreviewError, type Preview } from "./change";
import { policyFaults } from "./policies";
import { readPreviewFile } from "./read";
import { reviewOf } from "./report";

/** Exit codes: 0 the review is written, 2 the file is no preview, 1 anything else. */
const badInput = 2;

interface Options {
    readonly log?: string;
    readonly stack?: string;
    readonly out?: string;
}

new Command("review")
    .description("Writes a preview as Markdown for a comment on a pull request: what is dangerous first, secrets masked.")
    .argument("<preview>", "file that `pulumi preview --json` printed, or a plan of `pulumi preview --save-plan`")
    .option("--log <file>", "what the same preview wrote as text: policies that are broken are told there alone")
    .option("--stack <name>", "the stack, for a preview that does not say it; a file that is no preview is then told in a review, too")
    .option("--out <file>", "where the Markdown goes (default: standard output)")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : badInput))
    .action((file: string, options: Options) => {
        try {
            write(withContext(readPreviewFile(file), options), options);
        } catch (error) {
            console.error(`review: ${error instanceof Error ? error.message : String(error)}`);
            process.exitCode = error instanceof NotAPreviewError ? badInput : 1;
            if (error instanceof NotAPreviewError && options.stack !== undefined) {
                // A comment of a preview that went well must not stay there.
                write(withContext(unread(error, options), options), options);
            }
        }
    })
    .parse();

function withContext(preview: Preview, { log, stack = "" }: Options): Preview {
    const faults = log === undefined ? [] : policyFaults(readFileSync(log, "utf8"));
    return { ...preview, stack: preview.stack === "" ? stack : preview.stack, failures: [...faults, ...preview.failures] };
}

/** The review of what is no preview: why, and the end of what was written instead. */
function unread(error: Error, { log, stack = "" }: Options): Preview {
    const written = log === undefined ? [] : readFileSync(log, "utf8").trim().split("\n").slice(-20);
    return { source: "preview", stack, changes: [], failures: [error.message, ...written], secrets: new Set(), identities: new Map() };
}

function write(preview: Preview, { out }: Options): void {
    const review = reviewOf(preview);
    if (out === undefined) {
        process.stdout.write(review);
    } else {
        writeFileSync(out, review);
    }
}
