"""What `python -m basecamp airflow` does to the managed Airflow of a project, server or not."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from basecamp import state_dir
from basecamp.engines.airflow.supervisor import home_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from basecamp.settings import Settings

__all__ = ["ACTIONS"]


def install(settings: Settings) -> int:
    """Put the packages in place; what is done is told on stderr."""
    os.umask(0o077)
    state_dir.prepare(settings.state_dir)
    home_of(settings).install(_tell)
    return 0


def status(settings: Settings) -> int:
    """Print what is there and what runs, as one JSON document."""
    home = home_of(settings)
    parts = [
        {"name": part.name, "is_running": part.is_running, "pid": part.pid, "log": str(part.log)}
        for part in home.parts()
    ]
    found = {"is_installed": home.environment.is_installed, "parts": parts}
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


def stop(settings: Settings) -> int:
    """End the processes that a killed server has left; those of a running one are its own.

    Raises:
        StateInUseError: a server runs on this state (DLI-001).
    """
    home = home_of(settings)
    if not home.is_left_running:
        return 0
    with state_dir.StateLock(settings.state_dir / "lock"):
        killed = home.stop()
    _tell("Airflow has stopped.")
    if killed:
        _tell(f"Killed, for they did not end in time: {', '.join(killed)}.")
    return 0


ACTIONS: Mapping[str, Callable[[Settings], int]] = {
    "install": install,
    "status": status,
    "stop": stop,
}


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
