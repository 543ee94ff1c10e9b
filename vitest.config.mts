import { defineConfig } from "vitest/config";
import { loadCertificate } from "./local/parts/certificate.ts";

// Node reads it at its start alone: it has to be there before the workers are.
process.env.NODE_EXTRA_CA_CERTS = (await loadCertificate()).certFile;

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
