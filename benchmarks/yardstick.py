"""Environments of what we measure ourselves against, each with its own packages."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import progress

__all__ = ["FOLDER", "clean_env", "dli", "python", "tool", "versions"]

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "yardsticks"
_ENVIRONMENTS = ROOT / ".yardsticks"
_OURS = ("DLI_", "BASECAMP_", "PYTHON", "SQLMESH", "AIRFLOW", "DBOS", "VIRTUAL_ENV")


def tool(name: str, program: str) -> str:
    """Path of `program` in the environment of the yardstick `name`, installed when missing."""
    requirements = FOLDER / f"{name}.txt"
    environment = _ENVIRONMENTS / name
    stamp = environment / ".installed"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        progress(f"installing yardstick {name}")
        interpreter = str(environment / "bin" / "python")
        _uv("venv", "--clear", "--python", sys.executable, str(environment))
        _uv("pip", "install", "--compile-bytecode", "-p", interpreter, "-r", str(requirements))
        stamp.write_text(wanted)
    return str(environment / "bin" / program)


def dli() -> str:
    """Path of our own command."""
    return str(Path(sys.executable).parent / "dli")


def python() -> str:
    """Path of the interpreter of our own environment."""
    return sys.executable


def clean_env(home: Path) -> dict[str, str]:
    """The environment of this process without what would change a side's behaviour or files."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
    return kept | {"HOME": str(home), "NO_COLOR": "1"}


def versions() -> dict[str, str]:
    """The pinned package of each yardstick, by the name of its file."""
    return {
        path.stem: line
        for path in sorted(FOLDER.glob("*.txt"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }


def _uv(*words: str) -> None:
    own = ROOT / ".uv" / "bin" / "uv"
    uv = str(own) if own.exists() else shutil.which("uv")
    if uv is None:
        raise RuntimeError("uv is missing; run this by `make bench`")
    subprocess.run([uv, "--quiet", *words], check=True)
