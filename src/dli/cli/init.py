"""`dli init`: a new small project that runs at once."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import click

from dli.cli.output import emit, note
from dli.exceptions import ConfigurationError

STARTER = Path(__file__).parent / "starter"
LAST_DAY = date(2025, 1, 14)
"""The newest day in the starter's data; it becomes the day on which the project is made."""


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=".")
def init(*, directory: Path) -> None:
    """Create a small project that runs at once: one source, one dataset with a schedule."""
    sources = sorted(path for path in STARTER.rglob("*") if path.is_file())
    targets = {directory / path.relative_to(STARTER): path for path in sources}
    if (directory / ".gitignore").exists():
        del targets[directory / ".gitignore"]
        note("There is a .gitignore already; it should have a line .dli/")
    existing = [str(target) for target in targets if target.exists()]
    if existing:
        error = ConfigurationError(f"Nothing was written: {', '.join(existing)} already there")
        error.add_note("Choose an empty directory: dli init DIRECTORY")
        raise error
    for target, source in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_up_to_today(source), encoding="utf-8")
        emit(f"created {target}")
    emit(_next_steps(directory))


def _up_to_today(source: Path) -> str:
    """The file's text; data ends today, so that yesterday's run finds some."""
    text = source.read_text(encoding="utf-8")
    if source.suffix != ".csv":
        return text
    shift = datetime.now(UTC).date() - LAST_DAY
    return re.sub(r"\d{4}-\d\d-\d\d", lambda found: str(date.fromisoformat(found[0]) + shift), text)


def _next_steps(directory: Path) -> str:
    enter = "" if directory == Path() else f"  cd {directory}\n"
    return (
        f"\nNext:\n{enter}"
        "  dli up\n"
        "  dli workflow publish\n"
        "  dli workflow run shop.sales.daily_revenue --follow\n"
        "  dli workflow list"
    )
