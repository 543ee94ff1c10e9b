import { AssumeRoleWithWebIdentityCommand, STSClient, STSServiceException, type STSClientResolvedConfig } from "@aws-sdk/client-sts";
import type { TokenCredential } from "@azure/identity";
import type { Settings } from "../settings";

/** Gives the AWS credentials of the assumed role; kept, and renewed five minutes before they end. */
export type AwsCredentials = STSClientResolvedConfig["credentials"];

/** The identity could not become the AWS role. */
export class AwsCredentialsError extends Error {
    override readonly name = "AwsCredentialsError";

    /** @param retryable whether the same call may succeed later: not when AWS refused the identity. */
    constructor(
        message: string,
        readonly retryable: boolean,
        options?: ErrorOptions,
    ) {
        super(message, options);
    }
}

type AwsSettings = Pick<Settings, "AWS_REGION" | "AWS_ROLE_ARN" | "AWS_TOKEN_AUDIENCE" | "STS_ENDPOINT">;

/**
 * The handlers' identity as an AWS role, without a stored key: an Entra token of the identity for the trusted audience is exchanged
 * by AssumeRoleWithWebIdentity (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).
 */
export function createAwsCredentials(settings: AwsSettings, credential: TokenCredential): AwsCredentials {
    // The managed identity endpoint is asked for the scope without `/.default`: the token's `aud` is the audience exactly.
    const scope = `${settings.AWS_TOKEN_AUDIENCE}/.default`;

    async function assumeRole() {
        const place = `${settings.AWS_ROLE_ARN} at ${settings.STS_ENDPOINT}`;
        const token = await credential.getToken(scope);
        if (token === null) {
            throw new AwsCredentialsError(`the identity got no Entra token for ${scope}`, true);
        }
        try {
            const { Credentials: given } = await sts.send(
                new AssumeRoleWithWebIdentityCommand({
                    RoleArn: settings.AWS_ROLE_ARN,
                    RoleSessionName: "player-predictions",
                    WebIdentityToken: token.token,
                }),
            );
            if (given?.AccessKeyId === undefined || given.SecretAccessKey === undefined) {
                throw new AwsCredentialsError(`STS answered without credentials for ${place}`, true);
            }
            return {
                accessKeyId: given.AccessKeyId,
                secretAccessKey: given.SecretAccessKey,
                sessionToken: given.SessionToken,
                expiration: given.Expiration,
            };
        } catch (error) {
            if (error instanceof AwsCredentialsError) {
                throw error;
            }
            const refused = error instanceof STSServiceException && error.$fault === "client";
            const advice = refused ? `; check that the role trusts the identity's token (aud ${settings.AWS_TOKEN_AUDIENCE})` : "";
            throw new AwsCredentialsError(`could not assume ${place}${advice}`, !refused, { cause: error });
        }
    }

    // The call itself is not signed. The client's own handling of credentials shares a call in flight, keeps its result and renews it.
    const sts = new STSClient({ region: settings.AWS_REGION, endpoint: settings.STS_ENDPOINT, credentials: assumeRole });
    return sts.config.credentials;
}
