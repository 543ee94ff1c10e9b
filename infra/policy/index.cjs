// The engine loads a pack by require(), from this folder.
require("tsx/cjs");
require("./pack.ts");
