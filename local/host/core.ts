import Module from "node:module";
import type { FunctionCallback, FunctionMetadata, HookCallback, LogCategory, LogLevel, ProgrammingModel } from "./core-types";
import type { Log, LogSource } from "./log";

const moduleName = "@azure/functions-core";

/** The first host version that has every call of this module: log hooks came last. */
const hostVersion = "4.34.0";

/** A function as the package registered it. */
export interface RegisteredFunction {
    readonly metadata: FunctionMetadata;
    readonly callback: FunctionCallback;
}

type HookName = "appStart" | "appTerminate" | "preInvocation" | "postInvocation" | "log";

/** Gives back what a registration took; the library hands it to the application. */
class Disposable {
    #dispose: (() => void) | undefined;
    constructor(dispose: () => void) {
        this.#dispose = dispose;
    }
    dispose(): void {
        this.#dispose?.();
        this.#dispose = undefined;
    }
}

/** Everything that the package registers while it loads, and the module through which it does. */
export class Core {
    readonly functions = new Map<string, RegisteredFunction>();
    /** Shared by all hooks of the application, as the worker does. */
    readonly appHookData: Record<string, unknown> = {};
    /** Shared by the hooks that belong to no invocation. */
    readonly #appLevelHookData: Record<string, unknown> = {};
    readonly #hooks = {
        appStart: [] as HookCallback[],
        appTerminate: [] as HookCallback[],
        preInvocation: [] as HookCallback[],
        postInvocation: [] as HookCallback[],
        log: [] as HookCallback[],
    } satisfies Record<HookName, HookCallback[]>;
    #model: ProgrammingModel | undefined;
    #started = false;

    constructor(private readonly log: Log) {}

    /** The library that the package registered its functions with. */
    get model(): ProgrammingModel {
        if (this.#model === undefined) {
            throw new Error("the package did not load @azure/functions: no programming model was set");
        }
        return this.#model;
    }

    /** Puts the module in the way of `require`, where the worker of Azure Functions has it too. */
    install(): void {
        const api = this.#api();
        // eslint-disable-next-line @typescript-eslint/unbound-method -- called below with its own `this`
        const original = Module.prototype.require;
        Module.prototype.require = Object.assign(function (this: NodeJS.Module, id: string): unknown {
            return id === moduleName ? api : original.call(this, id);
        }, original);
    }

    /** Runs the hooks that follow the loading of the package; nothing can be registered from here on. */
    async start(functionAppDirectory: string): Promise<void> {
        this.#started = true;
        await this.runHooks("appStart", { hookData: this.#appLevelHookData, appHookData: this.appHookData, functionAppDirectory });
    }

    async terminate(): Promise<void> {
        await this.runHooks("appTerminate", { hookData: this.#appLevelHookData, appHookData: this.appHookData });
    }

    /** Whether there is anything for `runHooks` to run. */
    hasHooks(name: Exclude<HookName, "log">): boolean {
        return this.#hooks[name].length > 0;
    }

    async runHooks(name: Exclude<HookName, "log">, context: Record<string, unknown>): Promise<void> {
        for (const hook of this.#hooks[name]) {
            await hook(context);
        }
    }

    /** Passes a message through the log hooks, which may change its text and level, and writes it. */
    writeLog(level: LogLevel, category: LogCategory, message: string, source?: LogSource, invocationContext?: unknown): void {
        const context = { hookData: this.#appLevelHookData, appHookData: this.appHookData, level, message, category, invocationContext };
        for (const hook of this.#hooks.log) {
            hook(context);
        }
        this.log.write(context.level, context.message, source);
    }

    #api(): Record<string, unknown> {
        return {
            version: hostVersion,
            hostVersion,
            Disposable,
            setProgrammingModel: (model: ProgrammingModel) => {
                this.#model = model;
            },
            getProgrammingModel: () => this.#model,
            registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) => this.#registerFunction(metadata, callback),
            registerHook: (name: HookName, callback: HookCallback) => this.#registerHook(name, callback),
            log: (level: LogLevel, category: LogCategory, message: string) => {
                this.writeLog(level, category, message);
            },
        };
    }

    #registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
        if (this.#started) {
            throw new Error(`function "${metadata.name}" is registered too late: functions are registered while the package loads`);
        }
        if (this.functions.has(metadata.name)) {
            throw new Error(`function "${metadata.name}" is registered twice: a function's name must be unique in its app`);
        }
        this.functions.set(metadata.name, { metadata, callback });
        return new Disposable(() => {
            this.functions.delete(metadata.name);
        });
    }

    #registerHook(name: HookName, callback: HookCallback): Disposable {
        const hooks: HookCallback[] | undefined = this.#hooks[name];
        if (hooks === undefined) {
            throw new RangeError(`hook "${String(name)}" is not known; expected one of ${Object.keys(this.#hooks).join(", ")}`);
        }
        hooks.push(callback);
        return new Disposable(() => {
            hooks.splice(hooks.indexOf(callback), 1);
        });
    }
}
