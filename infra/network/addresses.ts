/**
 * The four quarters of an IPv4 range, in order: `10.40.0.0/22` is `10.40.0.0/24` to `10.40.3.0/24`. Bits of the address beyond the
 * range's length are taken as zero.
 */
export function quarters(cidr: string): [string, string, string, string] {
    const [address = "", length = ""] = cidr.split("/");
    const bits = 32 - Number(length);
    const base = Math.floor(toNumber(address) / 2 ** bits) * 2 ** bits;
    const quarter = (index: number) => `${toAddress(base + index * 2 ** (bits - 2))}/${Number(length) + 2}`;
    return [quarter(0), quarter(1), quarter(2), quarter(3)];
}

function toNumber(address: string): number {
    return address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

function toAddress(number: number): string {
    return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}
