import { readFileSync } from "node:fs";
import { DefaultAzureCredential } from "@azure/identity";
import { Command } from "commander";
import * as z from "zod";
import { createOnlineEndpoint } from "../functions/clients/online-endpoint";
import { containers } from "../functions/contracts";
import { recordedRequestSchema } from "../functions/predict/recorded-requests";
import { comparisonTable, compareModels } from "./compare-models";
import { firstLine, readJsonLines, SourceError } from "./json-lines";
import { aboveZero } from "./numbers";
import { replay } from "./rollout-replay";
import { comparisonsOf, judge, type Limits, type Named, verdictTable } from "./rollout-verdict";

/** Exit codes: 0 the candidate may take over, 2 what was given cannot be used, 3 it is refused, as by the gate of training. */
const badInput = 2;
const refused = 3;

/** The model in service is asked first whether it answers: without it there is nothing to compare with. */
const reachableMs = 30_000;

const outputsSchema = z.object({ onlineScoringUri: z.url(), modelVersion: z.string().min(1), onlineDeployments: z.record(z.string(), z.string().min(1)) });
type Outputs = z.output<typeof outputsSchema>;

interface CliOptions {
    readonly stack: string;
    readonly day?: string;
    readonly most: string;
    readonly labels: string;
    readonly psi: string;
    readonly slower: string;
    readonly json: boolean;
}

void new Command("rollout-check")
    .description("Asks a deployed model the recorded requests, and the one in service as well, and says whether it may take its place.")
    .argument("<requests>", `folder or file of recorded requests (JSON Lines), or the lake's blob address, whose container ${containers.requests} is read as you (az login)`)
    .argument("<version>", "version of the model to check, one of the stack's output onlineDeployments")
    .requiredOption("--stack <file>", "what pulumi stack output --json prints: where the models are deployed")
    .option("--day <yyyy-mm-dd>", "takes the requests of one day alone")
    .option("--most <n>", "most requests, the newest days' first", "1000")
    .option("--labels <share>", "greatest share of the players whose label is another one", "0.1")
    .option("--psi <index>", "greatest population stability index of a label's probabilities", "0.2")
    .option("--slower <times>", "how many times as long the calls may take", "2")
    .option("--json", "prints JSON", false)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : badInput))
    .action(async (source: string, version: string, options: CliOptions) => {
        try {
            process.exitCode = (await check(source, version, options)) ? 0 : refused;
        } catch (error) {
            console.error(`rollout-check: ${firstLine(error)}`);
            process.exitCode = badInput;
        }
    })
    .parseAsync();

/** @returns whether the candidate may take over */
async function check(source: string, version: string, options: CliOptions): Promise<boolean> {
    const limits: Limits = { labels: aboveZero("--labels", options.labels), psi: aboveZero("--psi", options.psi), slower: aboveZero("--slower", options.slower) };
    const most = aboveZero("--most", options.most);
    const outputs = readOutputs(options.stack);
    const [live, candidate] = [deploymentOf(outputs, outputs.modelVersion), deploymentOf(outputs, version)];
    if (version === outputs.modelVersion) {
        throw new SourceError(`${version} is the model in service: name the one that is to take its place`);
    }
    const credential = new DefaultAzureCredential();
    const { day } = options;
    const requests = await readJsonLines({ source, container: containers.requests, day, credential: () => credential, schema: recordedRequestSchema, what: "recorded request", most });
    if (requests.length === 0) {
        throw new SourceError(`${source}: there are no recorded requests${day === undefined ? "" : ` of ${day}`}: player-predictions:recordPercent has some recorded`);
    }
    const endpoint = ({ deployment }: Named) => createOnlineEndpoint({ ONLINE_SCORING_URI: outputs.onlineScoringUri, ONLINE_DEPLOYMENT: deployment }, credential);
    const models = { live: endpoint(live), candidate: endpoint(candidate) };
    await models.live.reachable({ deadline: Date.now() + reachableMs });
    // So that no measured call has to open the connection. What this one says, the others will.
    await models.candidate.reachable({ deadline: Date.now() + reachableMs }).catch(() => undefined);

    const exchanges = await replay(requests, models);
    const checks = judge(exchanges, live, candidate, limits);
    const passed = checks.every(({ refusal }) => refusal === undefined);
    const comparison = compareModels(comparisonsOf(exchanges, live, candidate));
    if (options.json) {
        console.log(JSON.stringify({ passed, checks, comparison }, undefined, 2));
    } else {
        const verdict = passed ? `${version} may take the place of ${live.modelVersion}` : `REFUSED: ${version} does not take the place of ${live.modelVersion}`;
        console.log([comparisonTable(comparison), "", verdictTable(checks), "", verdict].join("\n"));
    }
    return passed;
}

function readOutputs(file: string): Outputs {
    let content: unknown;
    try {
        content = JSON.parse(readFileSync(file, "utf8"));
    } catch (error) {
        throw new SourceError(`--stack ${file}: expected what pulumi stack output --json prints: ${firstLine(error)}`, { cause: error });
    }
    const parsed = outputsSchema.safeParse(content);
    if (!parsed.success) {
        const issue = parsed.error.issues[0];
        throw new SourceError(`--stack ${file}: expected what pulumi stack output --json prints: ${issue?.path.join(".") || "its root"}: ${issue?.message ?? "wrong"}`);
    }
    return parsed.data;
}

function deploymentOf({ onlineDeployments }: Outputs, modelVersion: string): Named {
    const deployment = onlineDeployments[modelVersion];
    if (deployment === undefined) {
        throw new SourceError(
            `no deployment has model ${modelVersion}, there are ${Object.keys(onlineDeployments).join(", ")}: put its folder into player-predictions:keptModelFolders and bring the stack up`,
        );
    }
    return { deployment, modelVersion };
}
