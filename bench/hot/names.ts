/** Players that are in Redis before anything is measured. */
export const storedPlayers = 1_000;

export function storedKey(i: number): string {
    return `player-${i}`;
}

export const functionKey = "the-function-key";
