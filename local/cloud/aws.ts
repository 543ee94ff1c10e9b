import { createServer, request as httpsRequest } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import type { IdentityPart } from "../parts/identity";
import { listenOnKeptPort } from "../parts/ports";
import type { Workshop } from "../parts/workshop";
import { LocalCloudError, recorded, type CloudService, type Identified, type Inputs, type Outputs, type Registration } from "./resource-type";
import type { Studio } from "./studio";

/** Account number that moto works under. */
const accountId = "123456789012";

const providerInputs = z.object({ url: z.string(), clientIdLists: z.array(z.string()) });
const roleInputs = z.object({ name: z.string().optional(), assumeRolePolicy: z.string() });
const rolePolicyInputs = z.object({ name: z.string().optional(), role: z.string() });
const trustPolicy = z.object({
    Statement: z.array(
        z.object({
            Action: z.literal("sts:AssumeRoleWithWebIdentity"),
            Principal: z.object({ Federated: z.string() }),
            Condition: z.object({ StringEquals: z.record(z.string(), z.string()) }),
        }),
    ),
});

/** AWS as far as the program uses it: what it looks up of the studio's systems, and the trust in the handlers' identity. */
export class AwsService implements CloudService {
    readonly #providers = new Map<string, z.infer<typeof providerInputs>>();
    readonly #trust = new Map<string, z.infer<typeof trustPolicy>>();

    private constructor(
        private readonly studio: Studio,
        private readonly identity: IdentityPart,
        private readonly stsAddress: string,
    ) {}

    /** Starts the front of STS that checks trust policies, which moto does not. */
    static async start(workshop: Workshop, identity: IdentityPart, studio: Studio): Promise<AwsService> {
        const { cert, key } = workshop.certificate;
        const server = createServer({ cert, key }, (request, response) => void service.#assumeRole(request, response));
        const service = new AwsService(studio, identity, `127.0.0.1:${await listenOnKeptPort(workshop, "sts", server)}`);
        workshop.onStop(
            () =>
                new Promise((resolve) => {
                    server.close(() => resolve());
                    server.closeAllConnections();
                }),
        );
        return service;
    }

    readonly types = {
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": {
            identify: (registration: Registration) => {
                const { url } = providerInputs.parse(registration.inputs);
                const arn = `arn:aws:iam::${accountId}:oidc-provider/${url.replace(/^https:\/\//, "")}`;
                return { id: arn, name: registration.name };
            },
            create: (registration: Registration, { id }: Identified) => {
                this.#providers.set(id, providerInputs.parse(registration.inputs));
                return { arn: id };
            },
            remove: (_registration: Registration, { id }: Identified) => void this.#providers.delete(id),
        },
        "aws:iam/role:Role": {
            identify: (registration: Registration) => {
                const name = roleInputs.parse(registration.inputs).name ?? registration.name;
                return { id: name, name };
            },
            create: (registration: Registration, { name }: Identified) => {
                const arn = roleArn(name);
                this.#trust.set(arn, trustPolicy.parse(JSON.parse(roleInputs.parse(registration.inputs).assumeRolePolicy)));
                return { arn };
            },
            remove: (_registration: Registration, { name }: Identified) => void this.#trust.delete(roleArn(name)),
        },
        "aws:iam/rolePolicy:RolePolicy": recorded((registration) => {
            const { role, name = registration.name } = rolePolicyInputs.parse(registration.inputs);
            return { id: `${role}:${name}`, name };
        }),
    };

    readonly calls = {
        "aws:index/getCallerIdentity:getCallerIdentity": () => ({ accountId, arn: `arn:aws:iam::${accountId}:user/local`, userId: "local" }),
        "aws:index/getPartition:getPartition": () => ({ partition: "aws", dnsSuffix: "amazonaws.com" }),
        "aws:index/getService:getService": (inputs: Inputs) => this.#service(inputs),
        "aws:s3/getBucket:getBucket": (inputs: Inputs) => this.#bucket(inputs),
        "aws:rds/getInstance:getInstance": (inputs: Inputs) => this.#databaseInstance(inputs),
    };

    #service(inputs: Inputs): Outputs {
        const { serviceId } = z.object({ serviceId: z.enum(["s3", "sts"]) }).parse(inputs);
        return { dnsName: serviceId === "s3" ? new URL(this.studio.s3Endpoint).host : this.stsAddress };
    }

    #bucket(inputs: Inputs): Outputs {
        const { bucket } = z.object({ bucket: z.string() }).parse(inputs);
        if (bucket !== this.studio.bucket) {
            throw new LocalCloudError(`couldn't find bucket ${bucket}: the local studio has ${this.studio.bucket}`);
        }
        return { id: bucket, arn: `arn:aws:s3:::${bucket}` };
    }

    #databaseInstance(inputs: Inputs): Outputs {
        const { dbInstanceIdentifier } = z.object({ dbInstanceIdentifier: z.string() }).parse(inputs);
        return { dbInstanceIdentifier, address: this.studio.database.host, port: this.studio.database.port, resourceId: "db-LOCAL", vpcSecurityGroups: ["sg-00000000"] };
    }

    /** Answers AssumeRoleWithWebIdentity: refuses as STS does, or lets moto give the credentials. */
    async #assumeRole(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const body = Buffer.concat(await request.toArray());
        const form = new URLSearchParams(body.toString());
        const refusal = await this.#refusal(form.get("RoleArn") ?? "", form.get("WebIdentityToken") ?? "");
        if (form.get("Action") !== "AssumeRoleWithWebIdentity" || refusal !== undefined) {
            const message = refusal ?? `action ${form.get("Action")} is not served here`;
            response.writeHead(403, { "content-type": "text/xml" });
            response.end(
                `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>${message}</Message></Error></ErrorResponse>`,
            );
            return;
        }
        const upstream = new URL(this.studio.s3Endpoint);
        const { hostname, port } = upstream;
        const forwarded = httpsRequest({ hostname, port, method: "POST", path: "/", headers: { ...request.headers, host: upstream.host } }, (answer) => {
            response.writeHead(answer.statusCode ?? 502, answer.headers);
            answer.pipe(response);
        });
        forwarded.on("error", () => response.destroy());
        forwarded.end(body);
    }

    async #refusal(roleArn: string, token: string): Promise<string | undefined> {
        const statements = this.#trust.get(roleArn)?.Statement ?? [];
        const reasons: string[] = [];
        for (const { Principal, Condition } of statements) {
            const provider = this.#providers.get(Principal.Federated);
            const issuer = provider?.url.replace(/^https:\/\//, "");
            const audience = Condition.StringEquals[`${issuer}:aud`];
            try {
                if (provider === undefined || audience === undefined || !provider.clientIdLists.includes(audience)) {
                    throw new LocalCloudError(`the provider ${Principal.Federated} does not take audience ${audience}`);
                }
                const { principalId } = await this.identity.verify(token, audience);
                if (Condition.StringEquals[`${issuer}:sub`] !== principalId) {
                    throw new LocalCloudError(`the role trusts another subject than ${principalId}`);
                }
                return undefined;
            } catch (error) {
                reasons.push(error instanceof Error ? error.message : String(error));
            }
        }
        return `Not authorized to perform sts:AssumeRoleWithWebIdentity on ${roleArn}: ${reasons.join("; ") || "no such role"}`;
    }
}

function roleArn(name: string): string {
    return `arn:aws:iam::${accountId}:role/${name}`;
}
