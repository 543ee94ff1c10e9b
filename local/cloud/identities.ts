import { z } from "zod";
import type { IdentityPart } from "../parts/identity";
import { guidOf } from "./ids";
import { armResource, LocalCloudError, recorded, subscriptionId, type CloudService, type Identified, type Registration } from "./resource-type";

/** A user-assigned identity of the local cloud. */
export interface LocalIdentity {
    readonly principalId: string;
    readonly clientId: string;
}

const identifierUriInputs = z.object({ applicationId: z.string(), identifierUri: z.string() });

/** Managed identities and the Entra objects that they are known by. */
export class IdentityService implements CloudService {
    readonly #identities = new Map<string, LocalIdentity>();

    constructor(private readonly identity: IdentityPart) {}

    readonly types = {
        "azure-native:managedidentity:UserAssignedIdentity": {
            identify: armResource("Microsoft.ManagedIdentity/userAssignedIdentities", "resourceName"),
            create: (_registration: Registration, { id }: Identified) => {
                const made: LocalIdentity = { principalId: guidOf(`principal of ${id}`), clientId: guidOf(`client of ${id}`) };
                this.#identities.set(id, made);
                this.identity.addIdentity(made);
                return { ...made, tenantId: this.identity.tenantId };
            },
            remove: (_registration: Registration, { id }: Identified) => {
                this.identity.removeIdentity(this.#identities.get(id)?.clientId ?? "");
                this.#identities.delete(id);
            },
        },
        "azuread:index/application:Application": recorded(entraObject, ({ id }) => ({
            clientId: guidOf(`client of ${id}`),
            objectId: guidOf(`object of ${id}`),
        })),
        "azuread:index/applicationIdentifierUri:ApplicationIdentifierUri": {
            identify: (registration: Registration) => {
                const { applicationId, identifierUri } = identifierUriInputs.parse(registration.inputs);
                return { id: `${applicationId}/identifierUris/${Buffer.from(identifierUri).toString("base64")}`, name: registration.name };
            },
            create: () => ({}),
        },
        "azuread:index/servicePrincipal:ServicePrincipal": recorded(entraObject, ({ id }) => ({ objectId: guidOf(`object of ${id}`) })),
    };

    readonly calls = {
        "azure-native:authorization:getClientConfig": () => ({
            subscriptionId,
            tenantId: this.identity.tenantId,
            clientId: guidOf("deployer client"),
            objectId: guidOf("deployer object"),
        }),
        "azuread:index/getClientConfig:getClientConfig": () => ({
            tenantId: this.identity.tenantId,
            clientId: guidOf("deployer client"),
            objectId: guidOf("deployer object"),
        }),
    };

    /** The identity with this ARM id. @throws LocalCloudError when the program made none */
    byId(id: string): LocalIdentity {
        const found = this.#identities.get(id);
        if (found === undefined) {
            throw new LocalCloudError(`there is no user-assigned identity ${id}`);
        }
        return found;
    }
}

function entraObject(registration: Registration): Identified {
    return { id: `/${registration.type.split(":").at(-1)}/${guidOf(`${registration.type} ${registration.name}`)}`, name: registration.name };
}
