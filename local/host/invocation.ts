import { randomUUID } from "node:crypto";
import type { Core, RegisteredFunction } from "./core";
import type { CoreInvocationContext, InvocationRequest, InvocationResponse, TypedData } from "./core-types";
import { errorText, type Log } from "./log";

/** What starts an invocation: the trigger's value, and facts about it. */
export interface TriggerInput {
    /** Name of the trigger's binding. */
    readonly name: string;
    readonly data: TypedData;
    readonly metadata?: Readonly<Record<string, TypedData>>;
    readonly traceContext?: InvocationRequest["traceContext"];
}

const noMetadata = {};

/**
 * Runs a function once: arguments, hooks, handler, hooks, response, in the order of the Node.js worker of Azure Functions.
 * The library in the package does every conversion.
 *
 * @throws what the handler, a hook or the library throws.
 */
export async function invoke(
    core: Core,
    called: RegisteredFunction,
    input: TriggerInput,
    invocationId: string,
): Promise<InvocationResponse> {
    const { metadata } = called;
    const source = { functionName: metadata.name, invocationId };
    let context: unknown = undefined;
    const coreContext: CoreInvocationContext = {
        invocationId,
        metadata,
        request: {
            invocationId,
            inputData: [{ name: input.name, data: input.data }],
            triggerMetadata: input.metadata ?? noMetadata,
            traceContext: input.traceContext,
        },
        log: (level, category, message) => {
            core.writeLog(level, category, message, source, context);
        },
    };
    const model = core.model.getInvocationModel(coreContext);
    const args = await model.getArguments();
    context = args.context;

    const shared = { hookData: {}, appHookData: core.appHookData, invocationContext: context };
    const before = { ...shared, functionCallback: called.callback, inputs: args.inputs };
    coreContext.state = "preInvocationHooks";
    if (core.hasHooks("preInvocation")) {
        await core.runHooks("preInvocation", before);
    }

    const after = { ...shared, inputs: before.inputs, result: null as unknown, error: null as unknown };
    coreContext.state = "invocation";
    try {
        after.result = await model.invokeFunction(context, before.inputs, before.functionCallback);
    } catch (error) {
        // A hook after the invocation may put a result in the place of an error, or the other way round.
        after.error = error ?? new Error(`function "${metadata.name}" threw ${error === null ? "null" : "undefined"}`);
    }
    coreContext.state = "postInvocationHooks";
    if (core.hasHooks("postInvocation")) {
        await core.runHooks("postInvocation", after);
    }
    coreContext.state = undefined;
    if (after.error !== null && after.error !== undefined) {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- the handler's own value, whatever it is
        throw after.error;
    }
    return model.getResponse(context, after.result);
}

/** Runs functions in the background, each with a line at its start and at its end, and knows which are still running. */
export class BackgroundInvocations {
    readonly #running = new Set<Promise<unknown>>();

    constructor(
        private readonly core: Core,
        private readonly log: Log,
        private readonly now: () => number,
    ) {}

    /**
     * Runs a function to its end; resolves to whether it succeeded. A failure is logged with its stack and thrown nowhere.
     *
     * @param reason why it runs, for the log
     */
    run(called: RegisteredFunction, input: TriggerInput, reason: string): Promise<boolean> {
        const run = this.#run(called, input, reason);
        this.#running.add(run);
        void run.finally(() => this.#running.delete(run));
        return run;
    }

    /** Resolves when nothing is running. */
    async settle(): Promise<void> {
        while (this.#running.size > 0) {
            await Promise.all(this.#running);
        }
    }

    async #run(called: RegisteredFunction, input: TriggerInput, reason: string): Promise<boolean> {
        const invocationId = randomUUID();
        const functionName = called.metadata.name;
        const source = { functionName, invocationId };
        const startedAt = this.now();
        const end = (outcome: string) =>
            `Executed 'Functions.${functionName}' (${outcome}, Id=${invocationId}, Duration=${Math.round(this.now() - startedAt)}ms)`;
        this.log.write("information", `Executing 'Functions.${functionName}' (Reason='${reason}', Id=${invocationId})`, source);
        try {
            await invoke(this.core, called, input, invocationId);
            this.log.write("information", end("Succeeded"), source);
            return true;
        } catch (error) {
            this.log.write("error", `${end("Failed")} ${errorText(error)}`, source);
            return false;
        }
    }
}
