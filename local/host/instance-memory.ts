/** Sizes that instances of Flex Consumption have, in MB (https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan). */
export type InstanceMemory = 512 | 2048 | 4096;

/** What Node.js 24 takes for its heap where it finds that much memory, in MB: read in a control group with that limit. */
const heapLimits: Readonly<Record<InstanceMemory, number>> = { 512: 259, 2048: 1120, 4096: 2240 };

/**
 * Arguments with which Node.js has the heap that it would give itself on such an instance, its generations in proportion. With the memory of
 * a developer's machine it collects far later, and what a process takes there says little about an instance.
 */
export function heapArguments(memory: InstanceMemory): string[] {
    return [`--max-heap-size=${heapLimits[memory]}`];
}
