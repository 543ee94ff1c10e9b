import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { unzipSync } from "fflate";
import { z } from "zod";
import { startHost } from "../host";
import type { IdentityPart } from "../parts/identity";
import { keptPort } from "../parts/ports";
import type { Workshop } from "../parts/workshop";
import type { IdentityService } from "./identities";
import type { KeyVaultService } from "./key-vault";
import { armResource, LocalCloudError, recorded, type CloudService, type Identified, type Inputs, type Outputs, type Registration } from "./resource-type";
import type { Secrets } from "./secrets";

/** The port that Azure's own local tools use. */
const preferredPort = 7071;

const appSettings = z.array(z.object({ name: z.string(), value: z.string() }));
const appInputs = z.object({
    identity: z.object({ userAssignedIdentities: z.array(z.string()).min(1) }),
    keyVaultReferenceIdentity: z.string().optional(),
    functionAppConfig: z.object({ scaleAndConcurrency: z.object({ instanceMemoryMB: z.literal([512, 2048, 4096]) }) }),
    siteConfig: z.looseObject({ appSettings }),
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
    /** Ends its host; the app itself stays. */
    readonly stop: () => Promise<void>;
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
                const outputs = await this.#configure(registration, name);
                this.#writeSettings(name, appInputs.parse(registration.inputs).siteConfig.appSettings);
                if (this.#running.has(name)) {
                    await this.#restart(name);
                }
                return outputs;
            },
            restore: (registration: Registration, { name }: Identified) => this.#configure(registration, name),
            read: (registration: Registration, { name }: Identified) => {
                const settings = this.#readSettings(name);
                return settings && { siteConfig: { ...appInputs.parse(registration.inputs).siteConfig, appSettings: settings } };
            },
            remove: async (_registration: Registration, { name }: Identified) => {
                await this.#running.get(name)?.stop();
                this.#apps.delete(name);
                rmSync(this.#dir(name), { recursive: true, force: true });
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
            restore: async (registration: Registration) => {
                const { app } = this.#target(registration);
                if (!existsSync(this.#packageDir(app))) {
                    await this.#deploy(registration);
                } else if (!this.#running.has(app)) {
                    await this.#restart(app);
                }
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

    async #configure({ inputs }: Registration, name: string): Promise<Outputs> {
        const port = this.#apps.get(name)?.port ?? (await keptPort(this.workshop, `app-${name}`, preferredPort));
        this.#apps.set(name, { inputs: appInputs.parse(inputs), port });
        return { defaultHostName: `127.0.0.1:${port}` };
    }

    async #deploy(registration: Registration): Promise<void> {
        const { app, packageUri } = this.#target(registration);
        await this.#unpack(app, packageUri);
        await this.#restart(app);
    }

    /** What a deployment puts where. @throws LocalCloudError when it is no package of an app of this program */
    #target({ name, inputs }: Registration): { readonly app: string; readonly packageUri: string } {
        const { template, parameters } = deploymentInputs.parse(inputs).properties;
        const [resource] = template.resources;
        const [app, extension] = resource?.name.split("/") ?? [];
        if (resource?.type !== "Microsoft.Web/sites/extensions" || extension !== "onedeploy" || app === undefined || !this.#apps.has(app)) {
            throw new LocalCloudError(
                `deployment "${name}" holds ${resource?.type} ${resource?.name}; expected Microsoft.Web/sites/extensions <app>/onedeploy of an app of this program`,
            );
        }
        return { app, packageUri: withParameters(resource.properties.packageUri, parameters) };
    }

    /** Ends the app's host where one runs, and starts one on the package and the settings that are there now. */
    async #restart(name: string): Promise<void> {
        const app = this.#apps.get(name);
        if (app === undefined) {
            throw new LocalCloudError(`there is no function app ${name}`);
        }
        await this.#running.get(name)?.stop();
        const keys = this.#keys(name);
        const { url, process } = await startHost(this.workshop, {
            packageDir: this.#packageDir(name),
            appSettings: this.#appSettings(app.inputs, this.#readSettings(name) ?? []),
            identity: { endpoint: this.identity.endpoint, header: this.identity.header },
            memory: app.inputs.functionAppConfig.scaleAndConcurrency.instanceMemoryMB,
            keys,
            port: app.port,
        });
        const running: RunningApp = { name, url, ...keys, logFile: process.logFile, stop: () => process.stop() };
        this.#running.set(name, running);
        void process.exited.then(() => {
            if (this.#running.get(name) === running) {
                this.#running.delete(name);
            }
        });
    }

    /** The settings as the app has them, with references to Key Vault resolved as App Service does. */
    #appSettings(inputs: AppInputs, settings: AppInputs["siteConfig"]["appSettings"]): Record<string, string> {
        const [firstIdentity] = inputs.identity.userAssignedIdentities;
        const { principalId } = this.identities.byId(inputs.keyVaultReferenceIdentity ?? firstIdentity ?? "");
        return Object.fromEntries(settings.map(({ name, value }) => [name, this.keyVault.resolve(name, value, principalId)]));
    }

    /** The app's settings are in a file, as they are in a service in Azure: whoever changes them there is found out by a refresh. */
    #writeSettings(name: string, settings: AppInputs["siteConfig"]["appSettings"]): void {
        mkdirSync(this.#dir(name), { recursive: true });
        writeFileSync(this.#settingsFile(name), JSON.stringify(settings, undefined, 2), { mode: 0o600 });
    }

    /** Undefined when the app is gone. */
    #readSettings(name: string): AppInputs["siteConfig"]["appSettings"] | undefined {
        const file = this.#settingsFile(name);
        return existsSync(file) ? appSettings.parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
    }

    #settingsFile(name: string): string {
        return path.join(this.#dir(name), "settings.json");
    }

    #packageDir(name: string): string {
        return path.join(this.#dir(name), "package");
    }

    #dir(name: string): string {
        return path.join(this.workshop.dir, "apps", name);
    }

    /** Downloads the package by its address alone, as the deployment service does, and unpacks it into an empty folder. */
    async #unpack(appName: string, packageUri: string): Promise<void> {
        const answer = await fetch(packageUri);
        if (!answer.ok) {
            throw new LocalCloudError(`onedeploy of ${appName}: ${packageUri.split("?")[0]} answered ${answer.status}: ${await answer.text()}`);
        }
        const dir = this.#packageDir(appName);
        const unpacked = `${dir}.new`;
        rmSync(unpacked, { recursive: true, force: true });
        for (const [name, content] of Object.entries(unzipSync(new Uint8Array(await answer.arrayBuffer())))) {
            const file = path.join(unpacked, name);
            mkdirSync(path.dirname(file), { recursive: true });
            writeFileSync(file, content);
        }
        await this.#running.get(appName)?.stop();
        rmSync(dir, { recursive: true, force: true });
        renameSync(unpacked, dir);
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
