import { startRedis } from "../../local/parts/redis";
import { openWorkshop } from "../../local/parts/workshop";

/** Opens the workshop that it is told, starts a server and a process that does not end when it is asked to, and says which they are. */
async function main(): Promise<void> {
    const workshop = await openWorkshop(process.argv[2] as string);
    const redis = await startRedis(workshop);
    const stubborn = await workshop.spawn({
        name: "stubborn",
        command: "/bin/sh",
        args: ["-c", "trap '' TERM; while :; do sleep 1; done"],
        ready: () => Promise.resolve(true),
    });
    console.log(JSON.stringify({ redis: redis.process.pid, stubborn: stubborn.pid }));
}

void main();
