import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { armResource, LocalCloudError, type CloudService, type Identified, type Registration } from "../resource-type";
import type { StorageService } from "../storage/service";

/** A container of the lake or of the workspace's own account, as jobs and assets name it. */
export interface LocalDatastore {
    readonly accountName: string;
    readonly containerName: string;
}

const datastoreInputs = z.object({ properties: z.object({ accountName: z.string(), containerName: z.string() }) });
const codeInputs = z.object({ properties: z.object({ codeUri: z.url() }) });
const modelInputs = z.object({ properties: z.object({ modelUri: z.string() }) });
const datastorePath = /\/datastores\/(?<datastore>[^/]+)\/paths\/(?<path>.*?)\/?$/;

/** The assets of an Azure ML workspace: where code, models and data are, and how they come to this machine. */
export class ModelAssets implements CloudService {
    readonly #datastores = new Map<string, LocalDatastore>();
    readonly #codes = new Map<string, string>();
    readonly #models = new Map<string, string>();
    readonly #environments = new Set<string>();
    readonly #downloads = new Map<string, Promise<string>>();

    constructor(
        private readonly storage: StorageService,
        private readonly dir: string,
    ) {}

    readonly types = {
        "azure-native:machinelearningservices:Datastore": {
            identify: armResource("Microsoft.MachineLearningServices/workspaces/datastores", "workspaceName", "name"),
            create: (registration: Registration, { name }: Identified) => {
                this.#datastores.set(name, datastoreInputs.parse(registration.inputs).properties);
                return {};
            },
            remove: (_registration: Registration, { name }: Identified) => void this.#datastores.delete(name),
        },
        "azure-native:machinelearningservices:EnvironmentVersion": {
            identify: armResource("Microsoft.MachineLearningServices/workspaces/environments/versions", "workspaceName", "name", "version"),
            create: (_registration: Registration, { id }: Identified) => {
                this.#environments.add(id);
                return {};
            },
            remove: (_registration: Registration, { id }: Identified) => void this.#environments.delete(id),
        },
        "azure-native:machinelearningservices:CodeVersion": {
            identify: armResource("Microsoft.MachineLearningServices/workspaces/codes/versions", "workspaceName", "name", "version"),
            create: (registration: Registration, { id }: Identified) => {
                this.#codes.set(id, codeInputs.parse(registration.inputs).properties.codeUri);
                return {};
            },
            remove: (_registration: Registration, { id }: Identified) => void this.#codes.delete(id),
        },
        "azure-native:machinelearningservices:ModelVersion": {
            identify: armResource("Microsoft.MachineLearningServices/workspaces/models/versions", "workspaceName", "name", "version"),
            create: (registration: Registration, { id }: Identified) => {
                this.#models.set(id, modelInputs.parse(registration.inputs).properties.modelUri);
                return {};
            },
            remove: (_registration: Registration, { id }: Identified) => void this.#models.delete(id),
        },
    };

    /** Whether there is an environment version of this ARM id. All of them are the one of this machine. */
    hasEnvironment(id: string): boolean {
        return this.#environments.has(id);
    }

    /** The folder of this code version, downloaded. */
    async codeDir(codeId: string): Promise<string> {
        const uri = this.#codes.get(codeId);
        if (uri === undefined) {
            throw new LocalCloudError(`there is no code version ${codeId}`);
        }
        const { account, container, path: folder } = this.storage.locate(uri);
        return await this.#download({ accountName: account.name, containerName: container }, folder, "");
    }

    /**
     * What `AZUREML_MODEL_DIR` names for this model version: a folder that holds the model's own folder, as Azure ML mounts it.
     * @see https://learn.microsoft.com/azure/machine-learning/how-to-deploy-online-endpoints#understand-the-scoring-script
     */
    async modelDir(modelId: string): Promise<string> {
        const uri = this.#models.get(modelId);
        if (uri === undefined) {
            throw new LocalCloudError(`there is no model version ${modelId}`);
        }
        const { datastore, path: folder } = this.locate(uri);
        return await this.#download(datastore, folder, path.basename(folder));
    }

    /** Reads `.../datastores/<name>/paths/<path>`. @throws LocalCloudError when it is none, or the datastore is unknown */
    locate(uri: string): { readonly datastore: LocalDatastore; readonly path: string } {
        const groups = datastorePath.exec(uri)?.groups;
        const datastore = this.#datastores.get(groups?.datastore ?? "");
        if (groups?.path === undefined || datastore === undefined) {
            throw new LocalCloudError(`${uri} does not name a path in a datastore of this workspace (${[...this.#datastores.keys()].join(", ")})`);
        }
        return { datastore, path: groups.path };
    }

    /** Assets are immutable and their folders named by content, so a folder that is there is the right one. Deployments made at the same time share it. */
    #download({ accountName, containerName }: LocalDatastore, folder: string, into: string): Promise<string> {
        const target = path.join(this.dir, accountName, containerName, ...folder.split("/"));
        if (existsSync(target)) {
            return Promise.resolve(target);
        }
        const running = this.#downloads.get(target) ?? this.#fetch({ accountName, containerName }, folder, into, target).finally(() => this.#downloads.delete(target));
        this.#downloads.set(target, running);
        return running;
    }

    async #fetch({ accountName, containerName }: LocalDatastore, folder: string, into: string, target: string): Promise<string> {
        const partial = `${target}.partial`;
        rmSync(partial, { recursive: true, force: true });
        const container = this.storage.byName(accountName).blobs.getContainerClient(containerName);
        let files = 0;
        for await (const { name } of container.listBlobsFlat({ prefix: `${folder}/` })) {
            const file = path.join(partial, into, name.slice(folder.length + 1));
            mkdirSync(path.dirname(file), { recursive: true });
            await container.getBlobClient(name).downloadToFile(file);
            files += 1;
        }
        if (files === 0) {
            throw new LocalCloudError(`the asset folder ${containerName}/${folder} of ${accountName} is empty: it was registered before it was uploaded`);
        }
        renameSync(partial, target);
        return target;
    }
}
