import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { untaggable } from "../../infra/policy/rules/tags";

const modules = path.resolve(__dirname, "..", "..", "node_modules", "@pulumi");

/** The SDK's declaration: `azure-native:storage:Queue` is in `azure-native/storage/queue`, `aws:iam/role:Role` in `aws/iam/role`. */
function declaration(type: string): string {
    const [provider = "", module = "", name = ""] = type.split(":");
    const file = module.includes("/") ? module : `${module}/${name.charAt(0).toLowerCase()}${name.slice(1)}`;
    const found = path.join(modules, provider, `${file}.d.ts`);
    expect(existsSync(found), found).toBe(true);
    return readFileSync(found, "utf8");
}

it("every type on the list of what takes no tags takes none", () => {
    const taking = [...untaggable].filter((type) => /^ {4}tags\??: pulumi\.Input</m.test(declaration(type)));
    expect(taking).toEqual([]);
});

it("a type that takes tags would be found on the list", () => {
    for (const type of ["azure-native:storage:StorageAccount", "aws:iam/role:Role"]) {
        expect(declaration(type)).toMatch(/^ {4}tags\??: pulumi\.Input</m);
    }
});
