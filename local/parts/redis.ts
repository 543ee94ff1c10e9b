import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Redis } from "ioredis";
import { listens } from "./processes";
import { loopback, onFreePorts } from "./ports";
import { findBinary } from "./system";
import type { Process, Workshop } from "./workshop";

/** A Redis that speaks TLS alone. */
export interface RedisPart {
    readonly host: string;
    readonly port: number;
    /** Password of the default user, who may do everything: for tests and for looking at the data. */
    readonly adminPassword: string;
    /** Lets the user in with this token too; those from before stay good. */
    setPassword(user: string, token: string): Promise<void>;
    /** Gives the user the data, as Azure Managed Redis' access policy `default` does; it needs a token to log in. */
    allowUser(user: string): Promise<void>;
    hasUser(user: string): Promise<boolean>;
    /** Ends the user's connections too. */
    removeUser(user: string): Promise<void>;
    readonly process: Process;
}

/**
 * Starts a Redis whose data, users and their tokens survive its end, a kill among them: at most the last second's writes are lost.
 *
 * @param options.name tells several Redis of one workshop apart; `"cache"` by default
 */
export function startRedis(workshop: Workshop, { name = "cache" }: { readonly name?: string } = {}): Promise<RedisPart> {
    const processName = `redis-${name}`;
    const dir = redisDir(workshop, { name });
    mkdirSync(dir, { recursive: true });
    const adminPassword = ensureAdmin(dir);
    return onFreePorts(workshop, processName, 1, async (ports) => {
        const [port] = ports as [number];
        const asAdmin = async <T>(use: (redis: Redis) => Promise<T>): Promise<T> => {
            const redis = new Redis({
                host: loopback,
                port,
                password: adminPassword,
                tls: { ca: workshop.certificate.cert },
                lazyConnect: true,
                retryStrategy: () => null,
            });
            redis.on("error", () => undefined);
            try {
                await redis.connect();
                return await use(redis);
            } finally {
                redis.disconnect();
            }
        };
        const configFile = path.join(dir, "redis.conf");
        writeFileSync(configFile, configuration(workshop, dir, port));
        const process = await workshop.spawn({
            name: processName,
            command: findBinary("redis-server"),
            args: [configFile],
            ready: async (pid) => listens(pid, port) && (await asAdmin((redis) => redis.ping())) === "PONG",
        });
        const setUser = (user: string, ...rules: string[]): Promise<void> =>
            asAdmin(async (redis) => {
                await redis.call("ACL", "SETUSER", user, ...rules);
                await redis.call("ACL", "SAVE");
            });
        return {
            host: loopback,
            port,
            adminPassword,
            setPassword: (user, token) => setUser(user, `>${token}`),
            allowUser: (user) => setUser(user, "on", "~*", "&*", "+@all", "-@admin"),
            hasUser: (user) => asAdmin(async (redis) => ((await redis.call("ACL", "USERS")) as string[]).includes(user)),
            removeUser: (user) =>
                asAdmin(async (redis) => {
                    await redis.call("ACL", "DELUSER", user);
                    await redis.call("ACL", "SAVE");
                }),
            process,
        };
    });
}

/** Where the data of a Redis is. */
export function redisDir({ dir }: Pick<Workshop, "dir">, { name }: { readonly name: string }): string {
    return path.join(dir, `redis-${name}`);
}

function configuration(workshop: Workshop, dir: string, port: number): string {
    const { certFile, keyFile } = workshop.certificate;
    const settings: [string, string][] = [
        ["bind", loopback],
        ["port", "0"],
        ["tls-port", String(port)],
        ["tls-cert-file", certFile],
        ["tls-key-file", keyFile],
        ["tls-auth-clients", "no"],
        ["dir", dir],
        ["aclfile", path.join(dir, aclFile)],
        ["appendonly", "yes"],
        ["appendfsync", "everysec"],
        ["save", ""],
    ];
    return settings.map(([key, value]) => `${key} ${JSON.stringify(value)}\n`).join("");
}

const aclFile = "users.acl";

/** The default user's password. Redis keeps the hash of it in the file of users, this the password beside it. */
function ensureAdmin(dir: string): string {
    const [passwordFile, usersFile] = [path.join(dir, "admin-password"), path.join(dir, aclFile)];
    if (!existsSync(usersFile)) {
        const password = randomBytes(24).toString("base64url");
        writeFileSync(passwordFile, password, { mode: 0o600 });
        const hash = createHash("sha256").update(password).digest("hex");
        writeFileSync(usersFile, `user default on #${hash} ~* &* +@all\n`, { mode: 0o600 });
    }
    return readFileSync(passwordFile, "utf8");
}
