import { existsSync, rmSync } from "node:fs";

/** Makes something that keeps its data in a folder. A failure takes the folder away again, unless it was there before. */
export async function leavingNothing<T>(dir: string, make: () => Promise<T>): Promise<T> {
    const existed = existsSync(dir);
    try {
        return await make();
    } catch (error) {
        if (!existed) {
            rmSync(dir, { recursive: true, force: true });
        }
        throw error;
    }
}
