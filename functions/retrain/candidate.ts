import * as z from "zod";
import type { Lake } from "../clients/lake";
import { candidatesFolder, containers } from "../contracts";

const manifest = z.object({ version: z.string(), gate: z.object({ passed: z.boolean(), reasons: z.array(z.string()) }) });

/** A model that a training left, and what the gate says of it. */
export interface Candidate {
    readonly version: string;
    readonly passed: boolean;
    readonly reasons: readonly string[];
}

/** Folder of `models` that a job leaves its candidate in. */
export function candidateFolder(job: string): string {
    return `${candidatesFolder}/${job}`;
}

/** What a job has left, or undefined when it left no model. @throws LakeError */
export async function readCandidate(lake: Pick<Lake, "readText">, job: string): Promise<Candidate | undefined> {
    const stored = await lake.readText(containers.models, `${candidateFolder(job)}/model/model.json`);
    if (stored === undefined) {
        return undefined;
    }
    const { version, gate } = manifest.parse(JSON.parse(stored.text));
    return { version, passed: gate.passed, reasons: gate.reasons };
}
