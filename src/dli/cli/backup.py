"""`dli backup|restore`: the state of this project's Basecamp in one file."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from dli.cli.connection import required_root
from dli.cli.option import path_option
from dli.cli.output import emit, note
from dli.exceptions import ConfigurationError

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE, required=False)
@click.option("--force", "-f", is_flag=True, help="Replace the file if it exists.")
@path_option("-p")
def backup(*, file: Path | None, force: bool, path: Path | None) -> None:
    """Write workflows, runs, audit and logs into FILE; Basecamp may go on working.

    Default: basecamp-TIME.tar.gz here. Tables of the warehouse and the token are not in it.
    """
    root = required_root(path)
    target = file or Path(f"basecamp-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar.gz")
    _basecamp("backup", root, target, force=force)
    emit(str(target))


@click.command()
@click.argument("file", type=_FILE)
@click.option("--force", "-f", is_flag=True, help="Move a state that is there aside.")
@path_option("-p")
def restore(*, file: Path, force: bool, path: Path | None) -> None:
    """Put the state of a backup in place; Basecamp must be down."""
    aside = _basecamp("restore", required_root(path), file, force=force)
    emit(f"The state of {file} is in place. Start it with: dli up")
    if aside:
        note(f"What was there is now in {aside}.")


def _basecamp(action: str, root: Path, file: Path, *, force: bool) -> str:
    """What the server's own command prints. Raises: ConfigurationError (001) with its reason."""
    command = [sys.executable, "-m", "basecamp", action, str(file.absolute())]
    command += ["--project", str(root), *(["--force"] if force else [])]
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=os.environ,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return done.stdout.strip()
    reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    error = ConfigurationError(reason.removeprefix("Error [DLI-001] "))
    is_at_work = "already in use" in reason
    usage = f"`dli {action} --help` tells what it needs."
    error.add_note("Stop it first with: dli down" if is_at_work else usage)
    raise error
