"""`RESULTS.md`: all figures of one run with the commit and the machine they belong to."""

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
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.figure import Figure

__all__ = ["write"]

_INTRODUCTION = """\
Written by `{command}`; how it measures: `benchmarks/README.md`. Each side reads: median (lowest to
highest). The ratio is ours over the yardstick's; both were measured in turn in one run."""
_PACKAGES = ("click", "duckdb", "fastapi", "pydantic", "sqlalchemy", "sqlglot", "uvicorn")


def write(
    path: Path, sections: Mapping[str, list[Figure]], notes: Mapping[str, str], command: str
) -> None:
    """`notes` says under a section's table how its figures were taken, `command` how it is done."""
    parts = [
        "# Benchmark results",
        _INTRODUCTION.format(command=command),
        "\n".join(f"- {name}: {value}" for name, value in _machine().items()),
    ]
    for title, figures in sections.items():
        parts += [f"## {title}", table(figures)]
        if notes[title]:
            parts.append(notes[title])
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _machine() -> dict[str, str]:
    ours = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "commit": _commit(),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": f"{os.cpu_count()} CPUs, {memory_gib:.0f} GiB, {platform.platform(terse=True)}",
        "load before the first one": f"{os.getloadavg()[0]:.2f}",
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
