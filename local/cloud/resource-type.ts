/** What the program asks for: one resource, as the provider would get it. */
export interface Registration {
    /** Type token, such as `azure-native:storage:StorageAccount`. */
    readonly type: string;
    /** Logical name in the program. */
    readonly name: string;
    /** Inputs with secrets unwrapped. */
    readonly inputs: Inputs;
}

export type Inputs = Readonly<Record<string, unknown>>;
export type Outputs = Record<string, unknown>;

/** Id and physical name of a resource. */
export interface Identified {
    readonly id: string;
    readonly name: string;
}

/** How a type of resource becomes real on this machine. */
export interface ResourceType {
    /** The id and the name that the provider would give. */
    readonly identify: (registration: Registration) => Identified;
    /** Makes the real thing, or brings an existing one to the inputs, and returns what the provider returns beside the inputs. */
    readonly create: (registration: Registration, identified: Identified) => Outputs | Promise<Outputs>;
    /**
     * After a restart: has it run again, and leaves what it holds as it is, as the program does not ask for it anew.
     * @default `create`
     */
    readonly restore?: (registration: Registration, identified: Identified) => Outputs | Promise<Outputs>;
    /**
     * Looks at the real thing. Returns those of its inputs that can change behind the program's back, as they are now; undefined when
     * it is gone.
     * @default it is as it was registered
     */
    readonly read?: (registration: Registration, identified: Identified) => Inputs | undefined | Promise<Inputs | undefined>;
    /**
     * Ends the real thing with all that it holds; one that is gone already is no error.
     * @default nothing is left of it anyway
     */
    readonly remove?: (registration: Registration, identified: Identified) => void | Promise<void>;
}

/** A call of a provider's function (an invoke). */
export type Call = (inputs: Inputs) => Outputs | Promise<Outputs>;

/** One area of the local cloud: the types and calls that it realises. */
export interface CloudService {
    readonly types: Readonly<Record<string, ResourceType>>;
    readonly calls?: Readonly<Record<string, Call>>;
}

/** The program registered or called something that the local cloud does not know, or with inputs that it cannot take. */
export class LocalCloudError extends Error {
    override readonly name = "LocalCloudError";
}

/** A type of which nothing runs on one machine: it has an id, its inputs, and what `extra` says. */
export function recorded(identify: ResourceType["identify"], extra: (identified: Identified) => Outputs = () => ({})): ResourceType {
    return { identify, create: (_registration, identified) => extra(identified) };
}

/** The subscription that all local resources seem to live in. */
export const subscriptionId = "00000000-0000-4000-8000-000000000001";

/**
 * Identifies an ARM resource by its type and, a segment of the type each, the input that holds the name. A name that starts with `=` is
 * literal. Only the last one may be missing: it is named automatically, by its logical name in the characters that every service takes.
 */
export function armResource(armType: string, ...nameInputs: readonly string[]): ResourceType["identify"] {
    const [namespace, ...segments] = armType.split("/");
    return ({ type, name: logicalName, inputs }) => {
        const group = text(inputs, "resourceGroupName", type, logicalName);
        const names = nameInputs.map((input, index) => {
            if (input.startsWith("=")) {
                return input.slice(1);
            }
            const isLast = index === nameInputs.length - 1;
            return isLast && inputs[input] === undefined ? automaticName(logicalName) : text(inputs, input, type, logicalName);
        });
        const path = segments.map((segment, index) => `${segment}/${names[index]}`).join("/");
        return {
            id: `/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/${namespace}/${path}`,
            name: names.at(-1) ?? logicalName,
        };
    };
}

/** Lower-case letters and digits, at most 24: a name that is valid for every service used here. */
function automaticName(logicalName: string): string {
    return logicalName.toLowerCase().replace(/[^a-z0-9]/g, "").slice(0, 24);
}

function text(inputs: Inputs, key: string, type: string, logicalName: string): string {
    const value = inputs[key];
    if (typeof value !== "string" || value === "") {
        throw new LocalCloudError(`${type} "${logicalName}": input ${key} is ${JSON.stringify(value)}; expected a non-empty text`);
    }
    return value;
}
