import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import getPort from "get-port";
import { unzipSync } from "fflate";
import { z } from "zod";
import { startHost } from "../host";
import type { IdentityPart } from "../parts/identity";
import type { Workshop } from "../parts/workshop";
import type { IdentityService } from "./identities";
import type { KeyVaultService } from "./key-vault";
import { armResource, LocalCloudError, recorded, type CloudService, type Identified, type Inputs, type Registration } from "./resource-type";
import type { Secrets } from "./secrets";

/** The port that Azure's own local tools use. */
const preferredPort = 7071;

const appInputs = z.object({
    identity: z.object({ userAssignedIdentities: z.array(z.string()).min(1) }),
    keyVaultReferenceIdentity: z.string().optional(),
    siteConfig: z.object({ appSettings: z.array(z.object({ name: z.string(), value: z.string() })) }),
});
type AppInputs = z.infer<typeof appInputs>;

const deploymentInputs = z.object({
    properties: z.object({
        template: z.object({
            resources: z.array(z.object({ type: z.string(), name: z.string(), properties: z.object({ packageUri: z.string() }) })).length(1),
        }),
        parameters: z.record(z.string(), z.object({ value: z.string() })).default({}),
    }),
});

/** A function app that was deployed to. */
export interface RunningApp {
    readonly name: string;
    readonly url: string;
    readonly functionKey: string;
    readonly masterKey: string;
    readonly logFile: string;
}

/** Function apps: the settings come with the app, the code with `onedeploy`, and then the local host runs them. */
export class WebService implements CloudService {
    readonly #apps = new Map<string, { readonly inputs: AppInputs; readonly port: number }>();
    readonly #running = new Map<string, RunningApp>();

    constructor(
        private readonly workshop: Workshop,
        private readonly secrets: Secrets,
        private readonly identity: IdentityPart,
        private readonly identities: IdentityService,
        private readonly keyVault: KeyVaultService,
    ) {}

    readonly types = {
        "azure-native:web:AppServicePlan": recorded(armResource("Microsoft.Web/serverfarms", "name")),
        "azure-native:web:WebApp": {
            identify: armResource("Microsoft.Web/sites", "name"),
            create: async (registration: Registration, { name }: Identified) => {
                const port = await getPort({ port: preferredPort, host: "127.0.0.1" });
                this.#apps.set(name, { inputs: appInputs.parse(registration.inputs), port });
                return { defaultHostName: `127.0.0.1:${port}` };
            },
        },
        "azure-native:web:WebAppFtpAllowed": recorded(armResource("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "name", "=ftp")),
        "azure-native:web:WebAppScmAllowed": recorded(armResource("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "name", "=scm")),
        "azure-native:resources:Deployment": {
            identify: armResource("Microsoft.Resources/deployments", "deploymentName"),
            create: async (registration: Registration) => {
                await this.#deploy(registration);
                return { properties: { provisioningState: "Succeeded" } };
            },
        },
    };

    readonly calls = {
        "azure-native:web:listWebAppHostKeys": (inputs: Inputs) => {
            const { functionKey, masterKey } = this.#keys(z.object({ name: z.string() }).parse(inputs).name);
            return { functionKeys: { default: functionKey }, masterKey, systemKeys: {} };
        },
    };

    /** The apps that run. */
    get running(): readonly RunningApp[] {
        return [...this.#running.values()];
    }

    async #deploy(registration: Registration): Promise<void> {
        const { template, parameters } = deploymentInputs.parse(registration.inputs).properties;
        const [resource] = template.resources;
        const [appName, extension] = resource?.name.split("/") ?? [];
        const app = this.#apps.get(appName ?? "");
        if (resource?.type !== "Microsoft.Web/sites/extensions" || extension !== "onedeploy" || appName === undefined || app === undefined) {
            throw new LocalCloudError(
                `deployment "${registration.name}" holds ${resource?.type} ${resource?.name}; expected Microsoft.Web/sites/extensions <app>/onedeploy of an app of this program`,
            );
        }
        const packageDir = await this.#unpack(appName, withParameters(resource.properties.packageUri, parameters));
        const keys = this.#keys(appName);
        const host = await startHost(this.workshop, {
            packageDir,
            appSettings: this.#appSettings(app.inputs),
            identity: { endpoint: this.identity.endpoint, header: this.identity.header },
            keys,
            port: app.port,
        });
        this.#running.set(appName, { name: appName, url: host.url, ...keys, logFile: host.process.logFile });
    }

    /** The settings as the program computed them, with references to Key Vault resolved as App Service does. */
    #appSettings(inputs: AppInputs): Record<string, string> {
        const [firstIdentity] = inputs.identity.userAssignedIdentities;
        const { principalId } = this.identities.byId(inputs.keyVaultReferenceIdentity ?? firstIdentity ?? "");
        return Object.fromEntries(
            inputs.siteConfig.appSettings.map(({ name, value }) => [name, this.keyVault.resolve(name, value, principalId)]),
        );
    }

    /** Downloads the package by its address alone, as the deployment service does, and unpacks it into an empty folder. */
    async #unpack(appName: string, packageUri: string): Promise<string> {
        const answer = await fetch(packageUri);
        if (!answer.ok) {
            throw new LocalCloudError(`onedeploy of ${appName}: ${packageUri.split("?")[0]} answered ${answer.status}: ${await answer.text()}`);
        }
        const dir = path.join(this.workshop.dir, "apps", appName);
        rmSync(dir, { recursive: true, force: true });
        for (const [name, content] of Object.entries(unzipSync(new Uint8Array(await answer.arrayBuffer())))) {
            const file = path.join(dir, name);
            mkdirSync(path.dirname(file), { recursive: true });
            writeFileSync(file, content);
        }
        return dir;
    }

    #keys(appName: string): { readonly functionKey: string; readonly masterKey: string } {
        return { functionKey: this.secrets.password(`${appName} function key`), masterKey: this.secrets.password(`${appName} master key`) };
    }
}

/** A template's text, or the value of the parameter that it names: `[parameters('name')]`. */
function withParameters(text: string, parameters: Readonly<Record<string, { readonly value: string }>>): string {
    const name = /^\[parameters\('(?<name>\w+)'\)\]$/.exec(text)?.groups?.name;
    return name === undefined ? text : (parameters[name]?.value ?? text);
}
