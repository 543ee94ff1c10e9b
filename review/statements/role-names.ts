import { broadRoles, roles } from "../../infra/role-ids";

/** Built-in roles that the program does not give: those that a reviewer must not overlook. */
const others: Readonly<Record<string, string>> = {
    ...broadRoles,
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": "Key Vault Administrator",
    "17d1049b-9a84-46fb-8f53-869881c3d3ab": "Storage Account Contributor",
    "de139f84-1756-47ae-9be6-808fbbe84772": "Website Contributor",
    "4d97b98b-1d4f-4787-a291-c67834d212e7": "Network Contributor",
};

/** Names that the program's own do not spell as Azure does. */
const spellings: Readonly<Partial<Record<string, string>>> = {
    acrPull: "AcrPull",
    azureMlDataScientist: "AzureML Data Scientist",
    azureMlMetricsWriter: "AzureML Metrics Writer",
};

const names: ReadonlyMap<string, string> = new Map([
    ...Object.entries(others),
    ...Object.entries(roles).map(([name, id]) => [id, spellings[name] ?? title(name)] as const),
]);

/** Azure's name of a built-in role; undefined for one that is not known here. */
export function roleName(id: string): string | undefined {
    return names.get(id.toLowerCase());
}

/** storageBlobDataOwner -> Storage Blob Data Owner */
function title(name: string): string {
    return name.replace(/^./, (letter) => letter.toUpperCase()).replace(/([a-z])([A-Z])/g, "$1 $2");
}
