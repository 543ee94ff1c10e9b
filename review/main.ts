import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { NotAPreviewError } from "./change";
import { readPreviewFile } from "./read";
import { reviewOf } from "./report";

/** Exit codes: 0 the review is written, 2 the file is no preview, 1 anything else. */
const badInput = 2;

new Command("review")
    .description("Writes a preview as Markdown for a comment on a pull request: what is dangerous first, secrets masked.")
    .argument("<preview>", "file that `pulumi preview --json` printed, or a plan of `pulumi preview --save-plan`")
    .option("--out <file>", "where the Markdown goes (default: standard output)")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : badInput))
    .action((file: string, { out }: { readonly out?: string }) => {
        try {
            const review = reviewOf(readPreviewFile(file));
            if (out === undefined) {
                process.stdout.write(review);
            } else {
                writeFileSync(out, review);
            }
        } catch (error) {
            console.error(`review: ${error instanceof Error ? error.message : String(error)}`);
            process.exitCode = error instanceof NotAPreviewError ? badInput : 1;
        }
    })
    .parse();
