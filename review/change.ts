/** What is going to happen to a resource. */
export type Action = "create" | "update" | "replace" | "delete";

export type Properties = Readonly<Record<string, unknown>>;

/** A resource before or after the update. */
export interface ResourceState {
    readonly inputs: Properties;
    readonly outputs: Properties;
    readonly protect: boolean;
    /** Whether the thing itself stays when the program leaves it. */
    readonly retained: boolean;
    /** URNs of the resources that an input follows from. */
    readonly dependencies: Readonly<Record<string, readonly string[]>>;
}

/** One resource that the update touches. */
export interface Change {
    readonly urn: string;
    readonly type: string;
    readonly name: string;
    /** Folder of `infra/` that registers it; undefined for what the program registers outside its parts. */
    readonly part: string | undefined;
    readonly action: Action;
    /** Undefined for a created resource, and in a plan, which tells nothing of it. */
    readonly before: ResourceState | undefined;
    /** Undefined for a deleted resource. */
    readonly after: ResourceState | undefined;
    /** Paths of the properties that force the replacement. Empty where the file does not tell. */
    readonly because: readonly string[];
    /** Paths of the properties that the provider found different. */
    readonly paths: readonly string[];
    /** Why it goes, where that is no property. */
    readonly remark?: "left over" | "gone";
}

/** What a file tells of an update. */
export interface Preview {
    /** `preview` knows the values before the update, `plan` does not. */
    readonly source: "preview" | "plan";
    readonly stack: string;
    /** Sorted by part and name. */
    readonly changes: readonly Change[];
    /** Errors that the preview ended with: it is not complete then. */
    readonly failures: readonly string[];
    /** Plain texts of secrets that the file shows. */
    readonly secrets: ReadonlySet<string>;
    /** URNs of identities by their object ids, as far as the file tells. */
    readonly identities: ReadonlyMap<string, string>;
}

/** The file is no preview. The message is one line that names the place and what was expected. */
export class NotAPreviewError extends Error {
    override readonly name = "NotAPreviewError";
}
