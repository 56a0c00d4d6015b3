"""Start-up stays short: the commands typed all day load no heavy package."""

import json
import subprocess
import sys
from pathlib import Path

HEAVY = (
    "alembic",
    "duckdb",
    "fastapi",
    "importlib.metadata",
    "minijinja",
    "pydantic",
    "pydantic_settings",
    "rich",
    "sqlalchemy",
    "sqlglot",
    "starlette",
    "uvicorn",
    "yaml",
)

PROBE = """
import json, sys
try:
    {action}
except SystemExit:
    pass
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.__stdout__)
"""


def loaded_by(action: str, directory: Path) -> set[str]:
    """Names of all modules in a fresh interpreter after `action`."""
    probe = subprocess.run(
        [sys.executable, "-c", PROBE.format(action=action)],
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(json.loads(probe.stdout.splitlines()[-1]))


def command(*words: str) -> str:
    return f"from dli.main import app; app({list(words)!r})"


def test_importing_the_library_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded_by("import dli", tmp_path).isdisjoint({*HEAVY, "click", "http.client"})
