import type { ResourceValidationArgs, StackValidationArgs } from "@pulumi/policy";
import { describe, expect, it } from "vitest";
import { policiesOf } from "../../infra/policy/policies";
import { rules } from "../../infra/policy/rules";
import { resource } from "./cases/case";

/** The engine's text for a text that is not known yet: https://github.com/pulumi/pulumi, sdk/go/common/resource/plugin/rpc.go */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** As the SDK hands properties to a policy: reading one that is not known throws. It is in the SDK and not in its types. */
async function checkingProxy(props: object): Promise<Record<string, unknown>> {
    const { unknownCheckingProxy } = (await import("@pulumi/policy")) as unknown as {
        readonly unknownCheckingProxy: (props: object) => Record<string, unknown>;
    };
    return unknownCheckingProxy(props);
}

class NotApplicable extends Error {}

async function judgeInPreview(policyName: string, type: string, props: object): Promise<string[]> {
    const faults: string[] = [];
    const { name, urn } = resource(type, {});
    const args = {
        type,
        name,
        urn,
        props: await checkingProxy(props),
        opts: { protect: false },
        notApplicable: (reason: string) => {
            throw new NotApplicable(reason);
        },
    };
    const policy = policiesOf(rules(new Date("2026-06-01T00:00:00Z"))).find((each) => each.name === policyName);
    if (policy === undefined) {
        throw new Error(`there is no policy ${policyName}`);
    }
    const report = (fault: string) => faults.push(fault);
    if ("validateStack" in policy) {
        await policy.validateStack({ ...args, resources: [args] } as unknown as StackValidationArgs, report);
    } else {
        for (const validate of [policy.validateResource ?? []].flat()) {
            await validate(args as unknown as ResourceValidationArgs, report);
        }
    }
    return faults;
}

describe("in a preview", () => {
    it("a rule about a value that is not known says nothing", async () => {
        await expect(judgeInPreview("role-scope", "azure-native:authorization:RoleAssignment", { scope: unknown })).rejects.toThrow(
            NotApplicable,
        );
        await expect(judgeInPreview("aws-exact-trust", "aws:iam/role:Role", { assumeRolePolicy: unknown })).rejects.toThrow(NotApplicable);
    });

    it("a rule about another property of the resource is kept or broken", async () => {
        const type = "azure-native:storage:StorageAccount";
        expect(await judgeInPreview("storage-no-shared-keys", type, { resourceGroupName: unknown, allowSharedKeyAccess: false })).toEqual(
            [],
        );
        expect(
            await judgeInPreview("storage-no-shared-keys", type, { resourceGroupName: unknown, allowSharedKeyAccess: true }),
        ).toHaveLength(1);
    });

    it("a rule about what belongs together needs no values", async () => {
        expect(await judgeInPreview("storage-blob-settings", "azure-native:storage:StorageAccount", { accountName: unknown })).toHaveLength(
            1,
        );
    });

    it("settings that are known are looked at beside those that are not", async () => {
        const appSettings = [
            { name: "REDIS_HOST", value: unknown },
            { name: "Lake", value: "AccountName=a;AccountKey=b" },
        ];
        expect(await judgeInPreview("no-secret-in-settings", "azure-native:web:WebApp", { siteConfig: { appSettings } })).toHaveLength(1);
    });
});
