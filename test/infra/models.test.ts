import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { contentVersion } from "../../infra/content";
import { ModelFolderError, readDeployedModels, readModelFolder } from "../../infra/models/model-folder";
import { readScoringCode } from "../../infra/models/ml-code";
import { makeModelFolder, modelVersion, passedGate } from "./recording";

function folder(files: Record<string, string>): string {
    const dir = mkdtempSync(path.join(tmpdir(), "folder-"));
    for (const [name, content] of Object.entries(files)) {
        mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
        writeFileSync(path.join(dir, name), content);
    }
    return dir;
}

describe("the model folder", () => {
    it("has the version that the models give themselves and one by its content", () => {
        const model = readModelFolder(makeModelFolder());
        expect(model.modelVersion).toBe(modelVersion);
        expect(model.files.map(({ name }) => name)).toEqual(["churn.txt", "model.json"]);
        expect(readModelFolder(makeModelFolder()).contentVersion).toBe(model.contentVersion);
    });

    it("is another version when a file changes or moves", () => {
        const manifest = JSON.stringify({ version: "a", gate: passedGate });
        const folders: Record<string, string>[] = [
            { "model.json": manifest, "churn.txt": "1" },
            { "model.json": manifest, "churn.txt": "2" },
            { "model.json": manifest, "churn/txt": "1" },
        ];
        expect(new Set(folders.map((files) => readModelFolder(folder(files)).contentVersion)).size).toBe(3);
    });

    it.each([
        ["missing", "no-such-folder"],
        ["empty", folder({})],
        ["without a version", folder({ "model.json": "{}" })],
        ["with a version that is too long", folder({ "model.json": JSON.stringify({ version: "123456789012345678", gate: passedGate }) })],
        ["without a gate's verdict", folder({ "model.json": '{"version":"a"}' })],
        ["cut off", folder({ "model.json": '{"version":' })],
    ])("is refused when %s, with what to run", (_what, dir) => {
        expect(() => readModelFolder(dir)).toThrow(ModelFolderError);
        expect(() => readModelFolder(dir)).toThrow(/run npm run train -- --data FILE$/);
    });
});

describe("the gate's verdict", () => {
    const model = (passed: boolean, accepted: boolean): string =>
        folder({
            "model.json": JSON.stringify({ version: "a", gate: { passed, accepted, reasons: passed ? [] : ["churn ROC AUC is 0.7"] } }),
            "report/index.html": "<html>",
        });

    it("keeps a refused model from being deployed, with the reasons and what to do", () => {
        expect(() => readModelFolder(model(false, false))).toThrow(/models a in .* did not pass the gate.*: churn ROC AUC is 0\.7\. .*--accept$/);
    });

    it.each([
        [true, false],
        [false, true],
    ])("lets a model be deployed that passed (%s) or was accepted (%s), without its report", (passed, accepted) => {
        expect(readModelFolder(model(passed, accepted)).files.map(({ name }) => name)).toEqual(["model.json"]);
    });
});

describe("the models that are deployed", () => {
    const [a, b] = [makeModelFolder("a"), makeModelFolder("b")];

    it("are each deployed once, whichever settings name them", () => {
        const { live, challenger, all } = readDeployedModels({ live: a, challenger: b, kept: [a, b, makeModelFolder("b")] });
        expect([live, challenger, ...all].map((model) => model?.modelVersion)).toEqual(["a", "b", "a", "b"]);
    });

    it("are refused where the challenger is the live model", () => {
        expect(() => readDeployedModels({ live: a, challenger: makeModelFolder("a"), kept: [] })).toThrow(
            /\(player-predictions:challengerFolder\) are those of player-predictions:modelFolder/,
        );
    });

    it("are refused where two have one version", () => {
        const other = makeModelFolder("a");
        writeFileSync(path.join(other, "churn.txt"), "another tree");
        expect(() => readDeployedModels({ live: a, challenger: undefined, kept: [other] })).toThrow(/two folders of different models have version a /);
    });
});

describe("the scoring code", () => {
    const sources = {
        "score.py": "from model import load\nimport numpy as np\n",
        "batch_score.py": "import os\n\ndef run():\n    from readers import read\n",
        "model.py": "import records\n",
        "records.py": "",
        "readers.py": "from model import load\n",
        "train.py": "import model\n",
        "features.json": "{}",
    };

    it("is what the two scripts import, wherever they do, and the player record", () => {
        const { files } = readScoringCode(folder(sources));
        expect(files.map(({ name }) => name)).toEqual(["batch_score.py", "features.json", "model.py", "readers.py", "records.py", "score.py"]);
    });

    it("is another version when one of them changes, and not when the training does", () => {
        const { version } = readScoringCode(folder(sources));
        expect(readScoringCode(folder({ ...sources, "train.py": "" })).version).toBe(version);
        expect(readScoringCode(folder({ ...sources, "records.py": "pass" })).version).not.toBe(version);
    });
});

describe("contentVersion", () => {
    it("tells contents apart that run together to the same bytes", () => {
        expect(contentVersion("ab", "c")).not.toBe(contentVersion("a", "bc"));
    });
});
