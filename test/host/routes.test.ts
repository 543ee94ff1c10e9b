import { describe, expect, it } from "vitest";
import type { HttpFunction } from "../../local/host/functions";
import { RouteTable } from "../../local/host/routes";

function httpFunction(name: string, route: string, ...methods: string[]): HttpFunction {
    const registered = { metadata: { name, bindings: {} }, callback: () => undefined };
    return { kind: "http", registered, binding: "request", disabled: false, route, methods: methods.length > 0 ? methods : ["GET"], authLevel: "anonymous" };
}

function find(routes: RouteTable, path: string, method = "GET") {
    const match = routes.match(method, path);
    return match && { name: match.target.registered.metadata.name, params: match.params };
}

describe("the routes of a package", () => {
    const routes = new RouteTable(
        [
            httpFunction("any", "players/{id}", "GET", "DELETE"),
            httpFunction("number", "players/{id:int}"),
            httpFunction("literal", "players/all"),
            httpFunction("posted", "players/all", "POST"),
            httpFunction("file", "files/{name:alpha}.{type}"),
            httpFunction("optional", "days/{day?}"),
            httpFunction("default", "weeks/{week=1}"),
            httpFunction("rest", "rest/{*path}"),
            httpFunction("bounded", "bounded/{code:length(2,3):regex(^[a-c]{{1}}.+$)}"),
            httpFunction("range", "range/{n:min(3):max(5)}"),
        ],
        "api",
    );

    it.each([
        ["/api/players/all", { name: "literal", params: {} }],
        ["/api/players/all/", { name: "literal", params: {} }],
        ["/API/Players/ALL", { name: "literal", params: {} }],
        ["/api/pl%61yers/all", { name: "literal", params: {} }],
        ["/api/players/17", { name: "number", params: { id: "17" } }],
        ["/api/players/x", { name: "any", params: { id: "x" } }],
        ["/api/players/a%20b%2Fc%ED%94%8C", { name: "any", params: { id: "a b%2Fc플" } }],
        ["/api/players/%ff", { name: "any", params: { id: "%ff" } }],
        ["/api/files/report.csv", { name: "file", params: { name: "report", type: "csv" } }],
        ["/api/days", { name: "optional", params: {} }],
        ["/api/days/3", { name: "optional", params: { day: "3" } }],
        ["/api/weeks", { name: "default", params: { week: "1" } }],
        ["/api/weeks/9", { name: "default", params: { week: "9" } }],
        ["/api/rest", { name: "rest", params: {} }],
        ["/api/rest/a/b", { name: "rest", params: { path: "a/b" } }],
        ["/api/bounded/abc", { name: "bounded", params: { code: "abc" } }],
        ["/api/range/4", { name: "range", params: { n: "4" } }],
    ])("finds %s", (path, expected) => {
        expect(find(routes, path)).toEqual(expected);
    });

    const unknown = ["/", "/api", "/api/players", "/api/players/1/2", "/players/all", "/api/files/r2.csv", "/api/range/6", "/api/range/x"];
    it.each([...unknown, "/api/bounded/abcd", "/api/bounded/xbc"])("knows no %s", (path) => {
        expect(find(routes, path)).toBeUndefined();
    });

    it("tells functions on the same route apart by method, and knows no other method", () => {
        expect(find(routes, "/api/players/all", "POST")?.name).toBe("posted");
        expect(find(routes, "/api/players/all", "DELETE")?.name).toBe("any");
        expect(find(routes, "/api/players/all", "PUT")).toBeUndefined();
    });

    it("takes an empty prefix", () => {
        expect(find(new RouteTable([httpFunction("a", "players/{id}")], ""), "/players/1")).toEqual({ name: "a", params: { id: "1" } });
    });

    it.each([
        ["/x", 'must not begin with "/"'],
        ["a/{}", "has the parameter {}"],
        ["a/{b:even}", 'has the constraint "even"; the local host knows int, long'],
    ])("refuses the route %s", (route, problem) => {
        expect(() => new RouteTable([httpFunction("odd", route)], "api")).toThrow(`function "odd": its route "${route}" ${problem}`);
    });

    it("refuses two functions on one route and method", () => {
        expect(() => new RouteTable([httpFunction("a", "x"), httpFunction("b", "X")], "api")).toThrow(
            'function "b": its route "X" is the same as that of function "a" for GET',
        );
    });
});
