import path from "node:path";

/** Folder of the project. */
export const projectDir = path.join(__dirname, "../..");

/** What all workshops of the project share: the certificate, the Python environments. Git-ignored. */
export const sharedDir = path.join(projectDir, ".local");
