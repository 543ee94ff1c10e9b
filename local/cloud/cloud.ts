import * as pulumi from "@pulumi/pulumi";
import { startIdentity } from "../parts/identity";
import type { Workshop } from "../parts/workshop";
import { AccessControl } from "./access";
import { AwsService } from "./aws";
import { guidOf } from "./ids";
import { IdentityService } from "./identities";
import { KeyVaultService } from "./key-vault";
import { ModelService } from "./models/service";
import { network } from "./network";
import { RedisService } from "./redis";
import { armResource, LocalCloudError, recorded, subscriptionId, type CloudService, type Identified, type Inputs, type Outputs, type Registration, type ResourceType } from "./resource-type";
import { Secrets } from "./secrets";
import { StorageService } from "./storage/service";
import type { Studio } from "./studio";
import { WebService } from "./web";

/** Resources of which nothing runs on one machine. */
const onPaper: CloudService = {
    types: {
        "azure-native:resources:ResourceGroup": recorded((registration) => {
            const name = typeof registration.inputs.resourceGroupName === "string" ? registration.inputs.resourceGroupName : registration.name;
            return { id: `/subscriptions/${subscriptionId}/resourceGroups/${name}`, name };
        }),
        "azure-native:operationalinsights:Workspace": recorded(
            armResource("Microsoft.OperationalInsights/workspaces", "workspaceName"),
            ({ id }) => ({ customerId: guidOf(id) }),
        ),
        "azure-native:applicationinsights:Component": recorded(armResource("Microsoft.Insights/components", "resourceName"), ({ id }) => ({
            instrumentationKey: guidOf(id),
            // Nothing listens there: metrics and logs are read on this machine, and nothing leaves it.
            connectionString: `InstrumentationKey=${guidOf(id)};IngestionEndpoint=https://127.0.0.1:9`,
        })),
        // Nobody is mailed from here: what would raise the alert is among the metrics of the handlers.
        "azure-native:monitor:ActionGroup": recorded(armResource("Microsoft.Insights/actionGroups", "actionGroupName")),
        "azure-native:monitor:ScheduledQueryRule": recorded(armResource("Microsoft.Insights/scheduledQueryRules", "ruleName")),
        "azure-native:containerregistry:Registry": recorded(armResource("Microsoft.ContainerRegistry/registries", "registryName"), ({ name }) => ({
            loginServer: `${name}.azurecr.io`,
        })),
    },
    calls: {
        "azure-native:resources:getResourceGroup": ({ resourceGroupName }) => ({
            id: `/subscriptions/${subscriptionId}/resourceGroups/${String(resourceGroupName)}`,
            name: resourceGroupName,
        }),
    },
};

/** A resource that is real. */
export interface Registered extends Identified {
    /** What the provider returns beside the inputs. */
    readonly outputs: Outputs;
}

/** The clouds on one machine: makes real what the program registers, by type. */
export class LocalCloud {
    readonly #types: CloudService["types"];
    readonly #calls: NonNullable<CloudService["calls"]>;

    private constructor(
        services: readonly CloudService[],
        readonly storage: StorageService,
        readonly redis: RedisService,
        readonly web: WebService,
        /** Azure Resource Manager's address, without a slash at its end. */
        readonly managementEndpoint: string,
    ) {
        this.#types = Object.assign({}, ...services.map(({ types }) => types)) as CloudService["types"];
        this.#calls = Object.assign({}, ...services.map(({ calls }) => calls)) as NonNullable<CloudService["calls"]>;
    }

    static async start(workshop: Workshop, studio: Studio): Promise<LocalCloud> {
        const identity = await startIdentity(workshop);
        const secrets = new Secrets(workshop.dir);
        const access = new AccessControl();
        const identities = new IdentityService(identity);
        const storage = new StorageService(workshop, secrets, identity, access);
        const redis = new RedisService(workshop, identity);
        const keyVault = new KeyVaultService(access);
        const web = new WebService(workshop, secrets, identity, identities, keyVault);
        const models = await ModelService.start(workshop, identity, access, identities, storage);
        const aws = await AwsService.start(workshop, identity, studio);
        return new LocalCloud([onPaper, network, access, identities, storage, storage.events, redis, keyVault, web, models, aws], storage, redis, web, models.managementEndpoint);
    }

    /** The types of resources that it knows. */
    get types(): readonly string[] {
        return Object.keys(this.#types);
    }

    /** Makes a resource real, or brings it to these inputs. @throws LocalCloudError for a type that is not known, by its name */
    register(registration: Registration): Promise<Registered> {
        return this.#with(registration, async (type, plain, identified) => ({ ...identified, outputs: await type.create(plain, identified) }));
    }

    /** Has a resource run again that an earlier process made. */
    restore(registration: Registration): Promise<Registered> {
        return this.#with(registration, async (type, plain, identified) => ({
            ...identified,
            outputs: await (type.restore ?? type.create)(plain, identified),
        }));
    }

    /** Those inputs of a resource that can change behind the program's back, as they are; undefined when it is gone. */
    read(registration: Registration): Promise<Inputs | undefined> {
        return this.#with(registration, async (type, plain, identified) => (type.read === undefined ? {} : await type.read(plain, identified)));
    }

    /** Ends a resource with all that it holds. */
    remove(registration: Registration): Promise<void> {
        return this.#with(registration, async (type, plain, identified) => await type.remove?.(plain, identified));
    }

    async #with<T>(registration: Registration, use: (type: ResourceType, plain: Registration, identified: Identified) => Promise<T>): Promise<T> {
        const type = this.#types[registration.type];
        if (type === undefined) {
            throw new LocalCloudError(
                `the local cloud does not know the resource type ${registration.type} ("${registration.name}"): add it under local/cloud/`,
            );
        }
        const plain: Registration = { ...registration, inputs: withoutSecretMarks(registration.inputs) as Inputs };
        try {
            return await use(type, plain, type.identify(plain));
        } catch (error) {
            throw new LocalCloudError(`${registration.type} "${registration.name}": ${error instanceof Error ? error.message : String(error)}`, {
                cause: error,
            });
        }
    }

    /** Answers a call of a provider's function. @throws LocalCloudError for one that is not known, by its name */
    async call(token: string, inputs: Inputs): Promise<Outputs> {
        const call = this.#calls[token];
        if (call === undefined) {
            throw new LocalCloudError(`the local cloud does not know the function ${token}: add it under local/cloud/`);
        }
        return await call(withoutSecretMarks(inputs) as Inputs);
    }
}

/** Providers see secret values in plain; on their way from the engine or the mock monitor they carry a mark. Assets stay as they are. */
export function withoutSecretMarks(value: unknown): unknown {
    if (pulumi.runtime.isRpcSecret(value)) {
        return withoutSecretMarks(pulumi.runtime.unwrapRpcSecret(value));
    }
    if (Array.isArray(value)) {
        return value.map(withoutSecretMarks);
    }
    if (typeof value === "object" && value !== null && !pulumi.asset.Asset.isInstance(value) && !pulumi.asset.Archive.isInstance(value)) {
        return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutSecretMarks(each)]));
    }
    return value;
}
