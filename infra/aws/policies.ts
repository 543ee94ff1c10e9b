/** Who may assume the role: one identity of one tenant, with a token for one audience. */
export interface Trust {
    readonly providerArn: string;
    /** Issuer of the tokens, with the slash at its end: `https://sts.windows.net/<tenant>/`. */
    readonly issuer: string;
    readonly audience: string;
    /** Object id of the managed identity: the token's `sub`. */
    readonly subject: string;
}

/** What the role allows. */
export interface Access {
    readonly bucketArn: string;
    /** Prefix of the keys that are read; empty for all. */
    readonly prefix: string;
    /** ARN of the database user that the role may sign in as; undefined where the user has a password. */
    readonly databaseUserArn: string | undefined;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif */
export function trustPolicy({ providerArn, issuer, audience, subject }: Trust): string {
    const provider = issuer.replace(/^https:\/\//, "");
    return JSON.stringify({
        Version: "2012-10-17",
        Statement: [
            {
                Effect: "Allow",
                Principal: { Federated: providerArn },
                Action: "sts:AssumeRoleWithWebIdentity",
                Condition: { StringEquals: { [`${provider}:aud`]: audience, [`${provider}:sub`]: subject } },
            },
        ],
    });
}

export function accessPolicy({ bucketArn, prefix, databaseUserArn }: Access): string {
    const listing = {
        Sid: "ListPlayerLogs",
        Effect: "Allow",
        Action: "s3:ListBucket",
        Resource: bucketArn,
        ...(prefix === "" ? {} : { Condition: { StringLike: { "s3:prefix": `${prefix}*` } } }),
    };
    const reading = { Sid: "ReadPlayerLogs", Effect: "Allow", Action: "s3:GetObject", Resource: `${bucketArn}/${prefix}*` };
    const signIn = { Sid: "SignInToDatabase", Effect: "Allow", Action: "rds-db:connect", Resource: databaseUserArn };
    return JSON.stringify({ Version: "2012-10-17", Statement: [listing, reading, ...(databaseUserArn === undefined ? [] : [signIn])] });
}
