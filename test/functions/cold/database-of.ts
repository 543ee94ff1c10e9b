import { createDatabase, type Database } from "../../../functions/clients/database";
import type { MariaDbPart } from "../../../local/parts/mariadb";

/** The handlers' client of a database, with its user and password. @param change settings that are other than the server's */
export function databaseOf(
    { host, port, database, user, password }: Pick<MariaDbPart, "host" | "port" | "database" | "user" | "password">,
    change: { readonly DATABASE_PORT?: number; readonly DATABASE_PASSWORD?: string; readonly DATABASE_USER?: string } = {},
): Database {
    const settings = {
        AWS_REGION: "eu-west-1",
        DATABASE_HOST: host,
        DATABASE_PORT: port,
        DATABASE_NAME: database,
        DATABASE_USER: user,
        DATABASE_AUTH: "password" as const,
        DATABASE_PASSWORD: password,
        ...change,
    };
    return createDatabase(settings, () => Promise.reject(new Error("password authentication needs no AWS credentials")));
}
