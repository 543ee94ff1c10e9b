import { rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { makePython, PythonError, type PythonOptions } from "../../local/parts/python";
import { run } from "../../local/parts/run";
import { temporaryDir } from "./temporary";

function options(pins: readonly string[], requirements: string): PythonOptions {
    const dir = temporaryDir();
    const [environmentFile, requirementsFile] = [path.join(dir, "environment.yaml"), path.join(dir, "requirements.txt")];
    writeFileSync(environmentFile, `dependencies:\n  - python=3.12\n  - pip\n  - pip: [${pins.join(", ")}]\n`);
    writeFileSync(requirementsFile, requirements);
    return { environmentFiles: [environmentFile], requirementsFile, dir: path.join(dir, "python") };
}

test("makes an environment with both lists once, also for those who ask at the same time", async () => {
    vi.spyOn(console, "log").mockReturnValue();
    const wanted = options(["six==1.17.0"], "iniconfig==2.3.0\n");
    const [python, same] = await Promise.all([makePython(wanted), makePython(wanted)]);
    expect(same).toBe(python);
    expect(path.relative(wanted.dir, python)).toMatch(/^[0-9a-f]{12}\/bin\/python$/);
    expect(await run(python, ["-c", "import six, iniconfig; print(six.__version__)"])).toEqual({ exitCode: 0, output: "1.17.0\n" });

    const made = statSync(python, { bigint: true }).ctimeNs;
    expect(await makePython(wanted)).toBe(python);
    expect(statSync(python, { bigint: true }).ctimeNs).toBe(made);

    // One that was killed while it was made.
    rmSync(path.join(path.dirname(python), "..", "complete"));
    rmSync(path.join(path.dirname(python), "..", "lib"), { recursive: true });
    expect(await makePython(wanted)).toBe(python);
    expect((await run(python, ["-c", "import six"])).exitCode).toBe(0);
}, 180_000);

test("tells pip's error and where its log is", async () => {
    vi.spyOn(console, "log").mockReturnValue();
    const made = makePython(options(["not a requirement"], ""));
    await expect(made).rejects.toThrow(PythonError);
    await expect(made).rejects.toThrow(/all of it is in .*\.log:\n[^]*Invalid requirement/);
}, 180_000);
