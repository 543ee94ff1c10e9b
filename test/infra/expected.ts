import { subscription, text, type Recording } from "./recording";

/** What the resources of stack `dev` have in common. */
export const group = { resourceGroupName: "players-dev" };
export const inRuntime = { ...group, accountName: "playersruntime" };
export const inLake = { ...group, accountName: "playerslake" };
export const inWorkspace = { ...group, workspaceName: "players-ml-workspace" };

/** ARM id that the recording gives. */
export function idOf(type: string, name: string): string {
    return `${subscription}/resourceGroups/rg/providers/${type}/${name}`;
}

/** The function app's settings by their names. */
export function appSettings(recording: Recording): Record<string, string> {
    const { siteConfig } = recording.get("azure-native:web:WebApp", "players-handlers-app").inputs as {
        siteConfig: { appSettings: { name: string; value: string }[] };
    };
    return Object.fromEntries(siteConfig.appSettings.map(({ name, value }) => [name, value]));
}

/** A few inputs of all resources of a type, in order. */
export function inputsOf(recording: Recording, type: string, ...keys: readonly string[]): string[] {
    return recording
        .all(type)
        .map(({ inputs }) => keys.map((key) => text(inputs[key])).join("/"))
        .sort();
}
