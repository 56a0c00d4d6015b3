"""`RESULTS.md`: all figures, each with the commit it belongs to."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from benchmarks.figure import table
from benchmarks.yardstick import ROOT, versions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from benchmarks.figure import Figure

__all__ = ["put", "section"]

_INTRODUCTION = """\
Written by `{command}`; how it measures: `benchmarks/README.md`. Each side reads: median (lowest to
highest). The ratio is ours over the yardstick's; both were measured in turn in one run."""
_PACKAGES = ("click", "duckdb", "fastapi", "pydantic", "sqlalchemy", "sqlglot", "uvicorn")


def put(path: Path, name: str, section: str, *, order: Iterable[str], command: str) -> None:
    """Write down one section; the others, each with its own commit and date, stay as they are."""
    kept = _sections(path) | {name: section}
    parts = [
        "# Benchmark results",
        _INTRODUCTION.format(command=command),
        "\n".join(f"- {what}: {value}" for what, value in _machine().items()),
        *(f"## {each}\n\n{kept[each]}" for each in order if each in kept),
    ]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def section(figures: list[Figure], note: str, load: float) -> str:
    """The figures with what they belong to; `note` says how they were taken."""
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    stamp = f"Commit {_commit()}, {now}, load of the machine beforehand {load:.2f}."
    return "\n\n".join(part for part in (stamp, table(figures), note) if part)


def _sections(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    _, *texts = path.read_text(encoding="utf-8").split("\n## ")
    halves = (text.split("\n", 1) for text in texts)
    return {name: body.strip() for name, body in halves}


def _machine() -> dict[str, str]:
    ours = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "machine": f"{os.cpu_count()} CPUs, {memory_gib:.0f} GiB, {platform.platform(terse=True)}",
        "python": platform.python_version(),
        "ours": f"dli {version('dli')}, {ours}",
        "yardsticks": ", ".join(versions()),
    }


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()

    changed = git(
        "status", "--porcelain", "--untracked-files=no", "--", "src", "benchmarks", "uv.lock"
    )
    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")
