import { program } from "commander";
import tls from "node:tls";
import { loadCertificate } from "../../local/parts/certificate";
import { publish, type Row } from "../lib";
import { batch } from "./batch";
import { ingest } from "./ingest";
import { load } from "./load";
import type { Section } from "./section";

const sections: Readonly<Record<string, Section>> = { ingest, load, batch };

/** Measures the cold path; ends with an error when a goal is missed, unless the run was too small to tell. */
async function main(): Promise<void> {
    program
        .description("Measures the cold path against its goals, on a machine that does nothing else.")
        .option("--quick", "small sizes, to see that the bench works", false)
        .option("--only <sections...>", `of ${Object.keys(sections).join(", ")}`)
        .parse();
    const { quick, only } = program.opts<{ quick: boolean; only?: string[] }>();
    const unknown = only?.filter((name) => !(name in sections)) ?? [];
    if (unknown.length > 0) {
        program.error(`no section ${unknown.join(", ")}; there are ${Object.keys(sections).join(", ")}`);
    }
    // Every server of the local parts has this one. Processes that a section starts trust it by NODE_EXTRA_CA_CERTS.
    tls.setDefaultCACertificates([...tls.getCACertificates(), (await loadCertificate()).cert]);
    const rows: Row[] = [];
    for (const [name, section] of Object.entries(sections)) {
        if (only === undefined || only.includes(name)) {
            const startedAt = performance.now();
            rows.push(...(await section({ quick })));
            console.log(`${name}: ${Math.round((performance.now() - startedAt) / 1000)} s`);
        }
    }
    const reached = publish(quick ? "cold-quick" : "cold", rows);
    process.exitCode = reached || quick ? 0 : 1;
}

main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
});
