import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { defaultLimits } from "../../functions/drift/compare";
import { profiles, settingKeys } from "../../infra/settings";
import { full, read } from "./reading-settings";

interface Declared {
    readonly type: string;
    readonly default?: unknown;
    readonly description: string;
}

const projectDir = path.resolve(__dirname, "..", "..");
const declared = (parse(readFileSync(path.join(projectDir, "Pulumi.yaml"), "utf8")) as { config: Record<string, Declared> }).config;

describe("Pulumi.yaml", () => {
    it("declares exactly the keys that the program reads", () => {
        expect(Object.keys(declared).sort()).toEqual([...settingKeys].sort());
    });

    it("gives each a type that the engine knows and a description", () => {
        for (const [key, { type, description }] of Object.entries(declared)) {
            expect(["string", "integer", "boolean", "array"], key).toContain(type);
            expect(description, key).toMatch(/\.$/);
        }
    });

    it("has the limits of npm run drift", () => {
        expect(declared["driftPsiLimit"]?.default).toBe(String(defaultLimits.psi));
        expect(declared["driftUnseenLimit"]?.default).toBe(String(defaultLimits.unseen));
    });

    it("has defaults that the program takes, and leaves only what a studio must say", () => {
        expect(Object.keys(declared).filter((key) => declared[key]?.default === undefined)).toEqual([
            "sourceBucket",
            "databaseInstance",
            "databaseName",
            "databaseUser",
        ]);
        expect(() => read()).not.toThrow();
    });
});

describe("the stacks' files", () => {
    it.each(["dev", "prod", "local"])("%s holds no secret and no unknown key", (stack) => {
        const { config } = parse(readFileSync(path.join(projectDir, `Pulumi.${stack}.yaml`), "utf8")) as { config: Record<string, unknown> };
        expect(config).not.toHaveProperty(full("databasePassword"));
        const known = new Set([...settingKeys.map(full), "azure-native:location", "aws:region"]);
        expect(Object.keys(config).filter((key) => !known.has(key))).toEqual([]);
    });
});

describe("profiles", () => {
    const keys = Object.keys(profiles.dev) as (keyof typeof profiles.dev)[];

    it("say the same keys, each empty in Pulumi.yaml, which tells what the profiles say", () => {
        expect(Object.keys(profiles.prod)).toEqual(keys);
        for (const key of keys) {
            expect(declared[key], key).toMatchObject({ type: "string", default: "" });
            expect(declared[key]?.description, key).toContain(`Empty takes the profile's - dev ${profiles.dev[key]}, prod ${profiles.prod[key]}.`);
        }
    });

    it("are the table of docs/environments.md", () => {
        const document = readFileSync(path.join(projectDir, "docs", "environments.md"), "utf8");
        const rows = document.split("\n").filter((line) => /^\| `\w+` \| [^|]+ \| [^|]+ \|$/.test(line));
        expect(rows).toEqual(keys.map((key) => `| \`${key}\` | ${profiles.dev[key]} | ${profiles.prod[key]} |`));
    });

    it.each(["dev", "prod"] as const)("%s is whole: its stack says nothing but who and where", (profile) => {
        const { config } = parse(readFileSync(path.join(projectDir, `Pulumi.${profile}.yaml`), "utf8")) as { config: Record<string, unknown> };
        expect(keys.filter((key) => full(key) in config)).toEqual([]);
        expect(config[full("profile")]).toBe(profile);
        const settings = read({}, profile);
        expect(settings).toMatchObject({
            profile,
            lakeSku: profiles[profile].lakeSku,
            redisHighAvailability: profile === "prod",
            zoneRedundant: profile === "prod",
            protectData: profile === "prod",
            functionAlwaysReady: profile === "prod" ? 2 : 0,
        });
        expect(settings.network?.isPrivate).toBe(profile === "prod" ? true : undefined);
    });

    it("give way to what the stack says, key by key", () => {
        expect(read({ lakeSku: "Standard_GZRS", network: "nat", protectData: "false" }, "prod")).toMatchObject({
            lakeSku: "Standard_GZRS",
            runtimeSku: "Standard_ZRS",
            protectData: false,
            network: { isPrivate: false, cidr: "10.40.0.0/22", existingSubnets: undefined },
        });
        expect(read({ redisHighAvailability: "true" })).toMatchObject({ redisHighAvailability: true, zoneRedundant: false });
    });
});
