import { defineConfig } from "vitest/config";

export default defineConfig({
    test: {
        include: ["test/**/*.test.ts"],
        // Real servers start inside the tests: Azurite, Redis, MariaDB, Python.
        testTimeout: 60_000,
        hookTimeout: 180_000,
        pool: "forks",
        maxWorkers: 2,
    },
});
