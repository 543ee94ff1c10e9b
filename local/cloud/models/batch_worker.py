"""Runs a batch scoring script as Azure ML's batch driver does: init() once, then run(files) for each mini-batch.

Usage: batch_worker.py SCRIPT. Reads one JSON list of file paths a line; answers one JSON object a line: {"results": n} or {"error": text}.
Ends at the end of its input, so it never outlives the process that started it by more than a mini-batch.
"""

import importlib.util
import json
import sys
import traceback
from pathlib import Path


def load(script: Path):
    sys.path.insert(0, str(script.parent))
    spec = importlib.util.spec_from_file_location(script.stem, script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    # Whatever the script prints goes to the job's log; the answers have the real standard output for themselves.
    answers = sys.stdout
    sys.stdout = sys.stderr
    script = load(Path(sys.argv[1]))
    script.init()
    for line in sys.stdin:
        try:
            answer = {"results": len(script.run(json.loads(line)))}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


main()
