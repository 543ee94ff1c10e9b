import { isDeepStrictEqual } from "node:util";
import type * as grpc from "@grpc/grpc-js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb";
import proto from "@pulumi/pulumi/proto/provider_pb";
import plugin from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { parseUrn } from "../../infra/urn";
import { withoutSecretMarks, type LocalCloud } from "../cloud/cloud";
import { ruleOf } from "../cloud/replacement";
import type { Inputs, Registration } from "../cloud/resource-type";
import { changesOf, inputOf, type Change } from "./changes";
import { deletesFirst, withDefaults } from "./defaults";
import { serve, unary } from "./grpc";
import { fromStruct, inputsOf, isObject, toStruct, unknownText, unwrapped, visible, type Wire } from "./wire";

/** A package of Pulumi's registry that the local cloud stands in for. */
interface ProviderPackage {
    /** Such as `azure-native`. */
    readonly name: string;
    /** That of the SDK: the engine warns of another. */
    readonly version: string;
}

/** As package.json pins them. */
const packages: readonly ProviderPackage[] = [
    { name: "azure-native", version: "3.28.0" },
    { name: "azuread", version: "6.9.1" },
    { name: "aws", version: "7.48.0" },
];

/** The local cloud as the engine's providers, for as long as they are not stopped. */
export interface ServedProviders {
    /** What the CLI's environment needs to find them, and to look for none elsewhere. */
    readonly env: Readonly<Record<string, string>>;
    stop(): void;
}

/** Serves the local cloud as the providers of the program's packages, in this process. */
export async function serveProviders(cloud: LocalCloud): Promise<ServedProviders> {
    const served = await Promise.all(
        packages.map(async (each) => ({ ...each, ...(await serve(providerService.ResourceProviderService, implementation(new LocalProvider(cloud, each)))) })),
    );
    return {
        env: {
            PULUMI_DEBUG_PROVIDERS: served.map(({ name, port }) => `${name}:${port}`).join(","),
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
            PULUMI_SKIP_UPDATE_CHECK: "true",
        },
        stop: () => served.forEach((each) => each.stop()),
    };
}

/** What the engine asks a provider; what is not here it does without. */
function implementation(provider: LocalProvider): grpc.UntypedServiceImplementation {
    return {
        getPluginInfo: unary(() => new plugin.PluginInfo().setVersion(provider.served.version)),
        attach: unary(() => new Empty()),
        cancel: unary(() => new Empty()),
        getSchema: unary(() => new proto.GetSchemaResponse().setSchema("{}")),
        checkConfig: unary((request: proto.CheckRequest) => new proto.CheckResponse().setInputs(request.getNews())),
        // Resources stay where they are when the provider's configuration changes.
        diffConfig: unary(() => new proto.DiffResponse().setChanges(proto.DiffResponse.DiffChanges.DIFF_NONE)),
        configure: unary((request: proto.ConfigureRequest) => provider.configure(request)),
        check: unary((request: proto.CheckRequest) => provider.check(request)),
        diff: unary((request: proto.DiffRequest) => provider.diff(request)),
        create: unary((request: proto.CreateRequest) => provider.create(request)),
        read: unary((request: proto.ReadRequest) => provider.read(request)),
        update: unary((request: proto.UpdateRequest) => provider.update(request)),
        delete: unary((request: proto.DeleteRequest) => provider.delete(request)),
        invoke: unary((request: proto.InvokeRequest) => provider.invoke(request)),
    };
}

/** The words of the engine's protocol over the local cloud. */
class LocalProvider {
    #location: string | undefined;

    constructor(
        private readonly cloud: LocalCloud,
        readonly served: ProviderPackage,
    ) {}

    configure(request: proto.ConfigureRequest): proto.ConfigureResponse {
        const { location } = fromStruct(request.getArgs());
        this.#location = typeof location === "string" ? location : undefined;
        return new proto.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true);
    }

    check(request: proto.CheckRequest): proto.CheckResponse {
        const { type, name } = resourceOf(request.getUrn());
        if (!this.cloud.types.includes(type)) {
            const reason = `the local cloud does not know ${type}: add it under local/cloud/`;
            return new proto.CheckResponse().setInputs(request.getNews()).setFailuresList([new proto.CheckFailure().setReason(reason)]);
        }
        const inputs = withDefaults(ruleOf(type), {
            urn: request.getUrn(),
            name,
            randomSeed: request.getRandomseed_asU8(),
            before: fromStruct(request.getOlds()),
            inputs: fromStruct(request.getNews()),
            location: this.#location,
        });
        return new proto.CheckResponse().setInputs(toStruct(inputs));
    }

    diff(request: proto.DiffRequest): proto.DiffResponse {
        const rule = ruleOf(resourceOf(request.getUrn()).type);
        const before = fromStruct(request.getOldInputs() ?? request.getOlds());
        const changes = changesOf(rule, before, fromStruct(request.getNews()));
        const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges;
        const replaces = changes.filter((change) => change.replaces);
        const response = new proto.DiffResponse()
            .setChanges(changes.length > 0 ? DIFF_SOME : DIFF_NONE)
            .setReplacesList(distinct(replaces.map(({ path }) => path)))
            .setDiffsList(distinct(changes.map(inputOf)))
            .setDeletebeforereplace(replaces.length > 0 && deletesFirst(rule, before))
            .setHasdetaileddiff(true);
        changes.forEach((change) => response.getDetaileddiffMap().set(change.path, new proto.PropertyDiff().setKind(diffKind(change)).setInputdiff(true)));
        return response;
    }

    async create(request: proto.CreateRequest): Promise<proto.CreateResponse> {
        const inputs = fromStruct(request.getProperties());
        const { type } = resourceOf(request.getUrn());
        if (request.getPreview()) {
            const { nameInput } = ruleOf(type);
            // Objects get properties that are known when the thing is there.
            const known = Object.fromEntries(Object.entries(visible(inputs)).map(([key, value]) => [key, isObject(unwrapped(value)) ? unknownText : value]));
            const name = nameInput === undefined ? {} : { name: inputs[nameInput] };
            return new proto.CreateResponse().setProperties(toStruct({ ...known, ...name }));
        }
        const { id, properties } = await this.#realise(request.getUrn(), inputs);
        return new proto.CreateResponse().setId(id).setProperties(toStruct(properties));
    }

    async update(request: proto.UpdateRequest): Promise<proto.UpdateResponse> {
        const inputs = fromStruct(request.getNews());
        if (request.getPreview()) {
            const { changing } = ruleOf(resourceOf(request.getUrn()).type);
            const expected = merged(fromStruct(request.getOlds()), visible(inputs));
            return new proto.UpdateResponse().setProperties(toStruct({ ...expected, ...Object.fromEntries(changing.map((key) => [key, unknownText])) }));
        }
        const { properties } = await this.#realise(request.getUrn(), inputs);
        return new proto.UpdateResponse().setProperties(toStruct(properties));
    }

    async #realise(urn: string, inputs: Wire): Promise<{ readonly id: string; readonly properties: Wire }> {
        const { id, name, outputs } = await this.cloud.register(registrationOf(urn, inputs));
        return { id, properties: { ...visible(inputs), name, ...outputs } };
    }

    /** Without an id: the thing is gone. */
    async read(request: proto.ReadRequest): Promise<proto.ReadResponse> {
        const inputs = fromStruct(request.getInputs());
        const registration = registrationOf(request.getUrn(), inputs);
        const real = await this.cloud.read(registration);
        if (real === undefined) {
            return new proto.ReadResponse();
        }
        const drifted = driftedInputs(registration.inputs, real);
        return new proto.ReadResponse()
            .setId(request.getId())
            .setInputs(toStruct({ ...inputs, ...drifted }))
            .setProperties(toStruct({ ...fromStruct(request.getProperties()), ...drifted }));
    }

    async delete(request: proto.DeleteRequest): Promise<Empty> {
        await this.cloud.remove(registrationOf(request.getUrn(), fromStruct(request.getOldInputs() ?? request.getProperties())));
        return new Empty();
    }

    async invoke(request: proto.InvokeRequest): Promise<proto.InvokeResponse> {
        return new proto.InvokeResponse().setReturn(toStruct(await this.cloud.call(request.getTok(), inputsOf(fromStruct(request.getArgs())))));
    }
}

/** What the engine's URN names. */
export function resourceOf(urn: string): { readonly type: string; readonly name: string } {
    const { types, name } = parseUrn(urn) ?? { types: [""], name: urn };
    return { type: types.at(-1) ?? "", name };
}

export function registrationOf(urn: string, inputs: Wire): Registration {
    return { ...resourceOf(urn), inputs: inputsOf(inputs) };
}

/** Those inputs that are not as they were registered; the others keep the marks of their secrets. */
function driftedInputs(registered: Inputs, real: Inputs): Inputs {
    return Object.fromEntries(Object.entries(real).filter(([key, value]) => !isDeepStrictEqual(value, withoutSecretMarks(registered[key]))));
}

/** Objects of the outputs keep what they have beside the inputs. */
function merged(outputs: Wire, inputs: Wire): Wire {
    const entries = Object.entries(inputs).map(([key, value]) => {
        const output = outputs[key];
        return [key, isObject(output) && isObject(value) ? merged(output, value) : value] as const;
    });
    return { ...outputs, ...Object.fromEntries(entries) };
}

function diffKind({ kind, replaces }: Change): proto.PropertyDiff.Kind {
    const { Kind } = proto.PropertyDiff;
    switch (kind) {
        case "add":
            return replaces ? Kind.ADD_REPLACE : Kind.ADD;
        case "delete":
            return replaces ? Kind.DELETE_REPLACE : Kind.DELETE;
        case "update":
            return replaces ? Kind.UPDATE_REPLACE : Kind.UPDATE;
    }
}

function distinct(values: readonly string[]): string[] {
    return [...new Set(values)];
}
