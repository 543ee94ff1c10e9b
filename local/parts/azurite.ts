import { mkdirSync } from "node:fs";
import path from "node:path";
import { listens } from "./processes";
import { loopback, onFreePorts } from "./ports";
import type { Process, Workshop } from "./workshop";

/** A storage account: one Azurite with TLS. */
export interface AzuritePart {
    readonly account: string;
    readonly key: string;
    /** Such as `https://127.0.0.1:1234/<account>`, without a slash at the end. */
    readonly blobEndpoint: string;
    readonly queueEndpoint: string;
    readonly tableEndpoint: string;
    readonly process: Process;
}

/**
 * Starts the account's Azurite; what it holds stays in the workshop's folder. Beside the key it takes Entra tokens for
 * `https://storage.azure.com`: their issuer's prefix, audience and times are checked, not the signature nor any role.
 *
 * @param options.key account key, base64
 * @see https://github.com/Azure/Azurite#oauth-configuration
 */
export function startAzurite(workshop: Workshop, { account, key }: { readonly account: string; readonly key: string }): Promise<AzuritePart> {
    const name = `azurite-${account}`;
    const location = azuriteDir(workshop, account);
    mkdirSync(location, { recursive: true });
    return onFreePorts(workshop, name, 3, async (ports) => {
        const [blobPort, queuePort, tablePort] = ports.map(String) as [string, string, string];
        const { certFile, keyFile } = workshop.certificate;
        const process_ = await workshop.spawn({
            name,
            command: process.execPath,
            args: [
                require.resolve("azurite/dist/src/azurite.js"),
                ...["--location", location, "--cert", certFile, "--key", keyFile, "--oauth", "basic"],
                ...["--blobHost", loopback, "--blobPort", blobPort],
                ...["--queueHost", loopback, "--queuePort", queuePort],
                ...["--tableHost", loopback, "--tablePort", tablePort],
                // The SDK speaks a newer version of the service than Azurite knows by name.
                "--skipApiVersionCheck",
                ...["--disableTelemetry", "--silent"],
            ],
            env: { AZURITE_ACCOUNTS: `${account}:${key}` },
            ready: (pid) => Promise.resolve(ports.every((port) => listens(pid, port))),
        });
        const endpoint = (port: string): string => `https://${loopback}:${port}/${account}`;
        return {
            account,
            key,
            blobEndpoint: endpoint(blobPort),
            queueEndpoint: endpoint(queuePort),
            tableEndpoint: endpoint(tablePort),
            process: process_,
        };
    });
}

/** Where what an account holds is. */
export function azuriteDir({ dir }: Pick<Workshop, "dir">, account: string): string {
    return path.join(dir, `azurite-${account}`);
}
