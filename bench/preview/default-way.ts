import * as pulumi from "@pulumi/pulumi";
import type { Recording } from "../../test/infra/recording";

/**
 * A program that registers the same resources the way that `pulumi new azure-typescript` begins: one file, the providers' packages
 * imported whole. What other resources have told is written out as text.
 */
export function defaultWayProgram({ resources }: Recording, asset: string): string {
    const registrations = resources.map(({ type, name, inputs }) => `new ${className(type)}(${JSON.stringify(name)}, ${literal(inputs, asset)});`);
    return [
        'import * as aws from "@pulumi/aws";',
        'import * as azure from "@pulumi/azure-native";',
        'import * as azuread from "@pulumi/azuread";',
        'import * as pulumi from "@pulumi/pulumi";',
        "",
        ...registrations,
        "",
    ].join("\n");
}

/** azure-native:storage:Blob -> azure.storage.Blob, aws:iam/role:Role -> aws.iam.Role, azuread:index/application:Application -> azuread.Application */
function className(type: string): string {
    const [provider = "", module = "", name = ""] = type.split(":");
    const [folder = ""] = module.split("/");
    return [provider === "azure-native" ? "azure" : provider, ...(folder === "index" ? [] : [folder]), name].join(".");
}

function literal(value: unknown, asset: string): string {
    if (value instanceof pulumi.asset.FileAsset) {
        return `new pulumi.asset.FileAsset(${JSON.stringify(asset)})`;
    }
    if (Array.isArray(value)) {
        return `[${value.map((each) => literal(each, asset)).join(", ")}]`;
    }
    if (typeof value === "object" && value !== null) {
        const entries = Object.entries(value).filter(([, each]) => each !== undefined);
        return `{ ${entries.map(([key, each]) => `${JSON.stringify(key)}: ${literal(each, asset)}`).join(", ")} }`;
    }
    return JSON.stringify(value);
}
