"""Takes the newest long result of each campaign into the committed `last-long-run.json`."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = ROOT / ".battery" / "results.jsonl"
LAST = HERE / "last-long-run.json"


def main() -> int:
    lines = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []
    results = [json.loads(line) for line in lines]
    rows = {row["test"]: row for row in last()["rows"]}
    run = {"commit": commit(), "machine": machine()}
    rows |= {found["test"]: found | run for found in results if found["size"] == "long"}
    kept = {"rows": [rows[test] for test in sorted(rows)]}
    LAST.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def last() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(LAST.read_text(encoding="utf-8"))
    return found


def commit() -> str:
    """The commit, with a `+` when files differ from it."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return git("rev-parse", "--short=10", "HEAD") + ("+" if git("status", "--porcelain") else "")


def machine() -> str:
    cores = len(os.sched_getaffinity(0))
    version = ".".join(platform.python_version_tuple()[:2])
    return f"{cores} cores, {platform.system()}, Python {version}"


if __name__ == "__main__":
    sys.exit(main())
