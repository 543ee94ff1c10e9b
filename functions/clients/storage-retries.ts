/** How the clients of the lake account try again by themselves; what fails then is for the next delivery. */
export const storageRetries = { maxTries: 4, retryDelayInMs: 500, maxRetryDelayInMs: 8_000 } as const;
