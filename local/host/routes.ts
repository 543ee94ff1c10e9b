import { PackageError } from "./errors";
import type { HttpFunction } from "./functions";

/** The function that a request is for, and the values of its route's parameters. */
export interface RouteMatch {
    readonly target: HttpFunction;
    readonly params: Record<string, string>;
}

interface Constraint {
    readonly parameter: string;
    readonly holds: (value: string) => boolean;
}

interface PatternRoute {
    readonly target: HttpFunction;
    readonly pattern: RegExp;
    /** Of the pattern's groups. */
    readonly parameters: readonly string[];
    readonly constraints: readonly Constraint[];
    readonly defaults: Readonly<Record<string, string>>;
    /** Sorts before others where smaller; a digit a segment: literal, mixed, constrained, any, the rest of the path. */
    readonly rank: string;
}

const matches = (pattern: RegExp) => () => (value: string) => pattern.test(value);

/** Constraints of ASP.NET Core routing (https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-constraints). */
const constraintsByName: Readonly<Record<string, (argument: string) => Constraint["holds"]>> = {
    int: matches(/^[+-]?\d{1,10}$/),
    long: matches(/^[+-]?\d{1,19}$/),
    alpha: matches(/^[a-z]+$/i),
    bool: matches(/^(true|false)$/i),
    guid: matches(/^\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i),
    length: (argument) => {
        const [least = 0, most = least] = argument.split(",").map(Number);
        return (value) => value.length >= least && value.length <= most;
    },
    minlength: (argument) => (value) => value.length >= Number(argument),
    maxlength: (argument) => (value) => value.length <= Number(argument),
    min: (argument) => (value) => Number(value) >= Number(argument),
    max: (argument) => (value) => Number(value) <= Number(argument),
    regex: (argument) => {
        const pattern = new RegExp(argument.replaceAll("{{", "{").replaceAll("}}", "}"), "i");
        return (value) => pattern.test(value);
    },
};

/** A parameter in a segment; the braces of a `regex` constraint are doubled. */
const parameterInSegment = /(\{(?:[^{}]|\{\{|\}\})*\})/;
const segmentOfTemplate = new RegExp(`(?:[^/{]|${parameterInSegment.source})+`, "g");
/** A constraint and its argument, which may hold parentheses one level deep. */
const constraintText = /:(\w+)(?:\(((?:[^()]|\([^()]*\))*)\))?/;
const parameter = new RegExp(String.raw`^(\*{0,2})(\w+)((?:${constraintText.source})*)(?:=([^?]*))?(\??)$`);

/** Finds the function of a request. Built once: a request costs a look-up in a map, or a pattern a route with parameters. */
export class RouteTable {
    /** By method, then by path. */
    readonly #literal = new Map<string, Map<string, RouteMatch>>();
    readonly #patterns = new Map<string, PatternRoute[]>();

    /**
     * @param prefix that of host.json, such as `api`
     * @throws PackageError naming the function with a wrong route
     */
    constructor(functions: readonly HttpFunction[], prefix: string) {
        for (const target of functions) {
            this.#add(target, prefix);
        }
        for (const routes of this.#patterns.values()) {
            routes.sort((one, other) => (one.rank < other.rank ? -1 : 1));
        }
    }

    /** @param encodedPath of the URL, percent-encoded, without its query */
    match(method: string, encodedPath: string): RouteMatch | undefined {
        const decoded = decode(encodedPath);
        const path = decoded.length > 1 && decoded.endsWith("/") ? decoded.slice(0, -1) : decoded;
        const literal = this.#literal.get(method)?.get(path.toLowerCase());
        if (literal !== undefined) {
            return literal;
        }
        for (const { target, pattern, parameters, constraints, defaults } of this.#patterns.get(method) ?? []) {
            const groups: Record<string, string | undefined> | undefined = pattern.exec(path)?.groups;
            if (groups !== undefined && constraints.every(({ parameter, holds }) => !groups[parameter] || holds(groups[parameter]))) {
                const params = { ...defaults };
                for (const name of parameters) {
                    const value = groups[name];
                    if (value) {
                        params[name] = value;
                    }
                }
                return { target, params };
            }
        }
        return undefined;
    }

    #add(target: HttpFunction, prefix: string): void {
        if (/^[/~]/.test(target.route)) {
            throw wrongRoute(target, `must not begin with "${target.route[0]}"`);
        }
        const template = [prefix, target.route].filter((part) => part !== "").join("/");
        const route = compile(target, template);
        for (const method of target.methods) {
            if (route !== undefined) {
                this.#patterns.set(method, [...(this.#patterns.get(method) ?? []), route]);
                continue;
            }
            const path = `/${template.toLowerCase()}`;
            const literal = this.#literal.get(method) ?? new Map<string, RouteMatch>();
            const earlier = literal.get(path);
            if (earlier !== undefined) {
                throw wrongRoute(target, `is the same as that of function "${earlier.target.registered.metadata.name}" for ${method}`);
            }
            this.#literal.set(method, literal.set(path, { target, params: {} }));
        }
    }
}

/** @returns undefined for a route without parameters */
function compile(target: HttpFunction, template: string): PatternRoute | undefined {
    const constraints: Constraint[] = [];
    const defaults: Record<string, string> = {};
    const parameters: string[] = [];
    let source = "";
    let rank = "";
    for (const segment of template.match(segmentOfTemplate) ?? []) {
        const parts = segment.split(parameterInSegment).filter((part) => part !== "");
        const compiled = parts.map((part) =>
            part.startsWith("{")
                ? compileParameter(target, part.slice(1, -1), parameters, constraints, defaults)
                : { source: escape(part), optional: false, rank: "0" },
        );
        const text = compiled.map((part) => part.source).join("");
        const [only] = compiled;
        source += compiled.length === 1 && only?.optional === true ? `(?:/${text})?` : `/${text}`;
        rank += compiled.length === 1 ? only?.rank : "1";
    }
    return /^0*$/.test(rank) ? undefined : { target, pattern: new RegExp(`^${source}$`, "i"), parameters, constraints, defaults, rank };
}

function compileParameter(
    target: HttpFunction,
    text: string,
    parameters: string[],
    constraints: Constraint[],
    defaults: Record<string, string>,
) {
    const [whole, star = "", name = "", constraintTexts = "", , , defaultValue, question = ""] = parameter.exec(text) ?? [];
    if (whole === undefined) {
        throw wrongRoute(target, `has the parameter {${text}}; expected {name}, {name:constraint}, {name=default}, {name?} or {*name}`);
    }
    parameters.push(name);
    if (defaultValue !== undefined) {
        defaults[name] = defaultValue;
    }
    for (const [, constraint = "", argument = ""] of constraintTexts.matchAll(new RegExp(constraintText, "g"))) {
        const build = Object.hasOwn(constraintsByName, constraint) ? constraintsByName[constraint] : undefined;
        if (build === undefined) {
            const known = Object.keys(constraintsByName).join(", ");
            throw wrongRoute(target, `has the constraint "${constraint}"; the local host knows ${known}`);
        }
        constraints.push({ parameter: name, holds: build(argument) });
    }
    return {
        source: `(?<${name}>${star === "" ? "[^/]+" : ".*"})`,
        optional: question !== "" || defaultValue !== undefined || star !== "",
        rank: star !== "" ? "4" : constraintTexts !== "" ? "2" : "3",
    };
}

function escape(text: string): string {
    return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

/** As Kestrel decodes a path: `%2F` stays as it is, and so does what is no encoding of UTF-8. */
function decode(path: string): string {
    if (!path.includes("%")) {
        return path;
    }
    try {
        return decodeURIComponent(path.replaceAll(/%2f/gi, (slash) => `%25${slash.slice(1)}`));
    } catch {
        return path;
    }
}

function wrongRoute(target: HttpFunction, problem: string): PackageError {
    return new PackageError(`function "${target.registered.metadata.name}": its route "${target.route}" ${problem}`);
}
