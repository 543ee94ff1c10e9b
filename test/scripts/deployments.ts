import { writeFileSync } from "node:fs";
import path from "node:path";
import type { TokenCredential } from "@azure/identity";
import { createOnlineEndpoint, type OnlineEndpoint } from "../../functions/clients/online-endpoint";
import { AccessControl } from "../../local/cloud/access";
import { GateError, startGate } from "../../local/cloud/models/gate";
import { startIdentity } from "../../local/parts/identity";
import { startInferenceServer } from "../../local/parts/inference";
import { projectDir } from "../../local/parts/paths";
import type { Workshop } from "../../local/parts/workshop";

/** Deployments of one online endpoint, as the caller of a command meets them. */
export interface Deployments {
    readonly scoringUri: string;
    /** Environment of a process that is signed in as one who may score. */
    readonly signedIn: Readonly<Record<string, string>>;
    endpoint(deployment: string): Pick<OnlineEndpoint, "predict">;
}

const dataScientist = "f6c7c914-8db3-469d-8ca1-694a8f32e121";

/** An endpoint that checks tokens and roles, and passes requests on by the header `azureml-model-deployment`. @param urls scoring URIs of the servers by deployment */
export async function serveDeployments(workshop: Workshop, urls: Readonly<Record<string, string>>): Promise<Deployments> {
    const identity = await startIdentity(workshop);
    const person = { clientId: "11111111-1111-4111-8111-111111111111", principalId: "22222222-2222-4222-8222-222222222222" };
    identity.addIdentity(person);
    const access = new AccessControl();
    const endpointId = "/subscriptions/s/onlineEndpoints/online";
    const assignment = {
        type: "azure-native:authorization:RoleAssignment",
        name: "person",
        inputs: { principalId: person.principalId, roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${dataScientist}`, scope: endpointId },
    };
    const roleAssignment = access.types["azure-native:authorization:RoleAssignment"];
    roleAssignment.create(assignment, roleAssignment.identify(assignment));
    const gate = await startGate(workshop, {
        name: "online",
        identity,
        access,
        needs: () => ({ permission: "models/score", scope: endpointId }),
        answer: async ({ deployment = "", body }) => {
            const url = urls[deployment];
            if (url === undefined) {
                throw new GateError(404, `no deployment ${deployment}`);
            }
            const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: new Uint8Array(body) });
            return { status: answer.status >= 500 ? 424 : answer.status, contentType: "application/json", body: await answer.text() };
        },
    });
    const scoringUri = `${gate.address}/score`;
    const credential: TokenCredential = {
        getToken: async (scope) => ({ token: await identity.issue(person.clientId, String(scope).replace(/\/\.default$/, "")), expiresOnTimestamp: Date.now() + 3_600_000 }),
    };
    return {
        scoringUri,
        signedIn: {
            IDENTITY_ENDPOINT: identity.endpoint,
            IDENTITY_HEADER: identity.header,
            AZURE_CLIENT_ID: person.clientId,
            NODE_EXTRA_CA_CERTS: workshop.certificate.certFile,
        },
        endpoint: (deployment) => createOnlineEndpoint({ ONLINE_SCORING_URI: scoringUri, ONLINE_DEPLOYMENT: deployment }, credential),
    };
}

/** What `faulty.py` does to the answers of the scoring script. */
export type Fault = "raises" | "nan" | "lacks-one" | "refuses-one" | "version" | "slow" | "upside-down";

const faulty = `
import json, os, sys, time
from pathlib import Path
sys.path.append(${JSON.stringify(path.join(projectDir, "ml"))})
import score

def init():
    score.init()

def run(data):
    fault = Path(os.environ["FAULT_FILE"]).read_text()
    answer = score.run(data)
    predictions = answer["predictions"]
    if not predictions:
        return answer
    first = predictions[0]
    if fault == "raises":
        raise RuntimeError("the trees are gone")
    elif fault == "nan":
        first["churn"]["probability"] = float("nan")
    elif fault == "lacks-one":
        predictions.pop()
    elif fault == "refuses-one":
        answer["errors"].append({"playerId": predictions.pop(0)["playerId"], "code": "invalid", "message": "features.age is 200, expected less"})
    elif fault == "version":
        answer["modelVersion"] = "another"
    elif fault == "slow":
        time.sleep(2)
    elif fault == "upside-down":
        for prediction in predictions:
            score_ = prediction["churn"]
            score_["label"] = not score_["label"]
            score_["probability"] = 1 - score_["probability"]
    return answer
`;

/** Serves a model with the product's own scoring script. @returns the scoring URI of the server */
export async function serveModel(workshop: Workshop, name: string, modelDir: string): Promise<string> {
    return (await startInferenceServer(workshop, { name, entryScript: "score.py", codeDir: path.join(projectDir, "ml"), modelDir })).url;
}

/** Serves a model whose answers are spoilt as `set` says last. */
export async function serveFaulty(workshop: Workshop, modelDir: string): Promise<{ readonly url: string; readonly set: (fault: Fault) => void }> {
    const file = path.join(workshop.dir, "fault");
    writeFileSync(path.join(workshop.dir, "faulty.py"), faulty);
    const { url } = await startInferenceServer(workshop, { name: "faulty", entryScript: "faulty.py", codeDir: workshop.dir, modelDir, env: { FAULT_FILE: file } });
    return { url, set: (fault) => writeFileSync(file, fault) };
}
