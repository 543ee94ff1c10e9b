/** A model that is tried beside the one in service. */
export interface Challenger {
    readonly version: string;
    /** `shadow`: its predictions are compared and answer nobody. `share`: it answers its share of the players. */
    readonly mode: "shadow" | "share";
    /** Share of the players that it predicts: 0 to 100. */
    readonly percent: number;
}

/** Whether a player is in the challenger's share: the same for a player in every process and at any time, and in every greater share. */
export function isInShare(playerId: string, percent: number): boolean {
    return hash(playerId) % 10_000 < percent * 100;
}

/** By player, the version of the model that is to predict them. */
export function versionChoice(live: string, challenger: Challenger | undefined): (playerId: string) => string {
    if (challenger === undefined || challenger.mode === "shadow") {
        return () => live;
    }
    const { version, percent } = challenger;
    return (playerId) => (isInShare(playerId, percent) ? version : live);
}

/** FNV-1a over the UTF-16 units, and MurmurHash3's last step, without which ids that differ in their end alone would lie together. */
function hash(text: string): number {
    let bits = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) {
        bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193);
    }
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return (bits ^ (bits >>> 16)) >>> 0;
}
