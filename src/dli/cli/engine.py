"""Which engine the Basecamp of a project uses, and the Airflow that it may have of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Literal

from dli.config import state_dir
from dli.exceptions import ConfigurationError, ServerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "ENGINES",
    "airflow_status",
    "chosen_engine",
    "engine_of_last_time",
    "engine_variables",
    "install_airflow",
    "stop_airflow",
]

ENGINES = ("embedded", "airflow")
Engine = Literal["embedded", "airflow"]


def chosen_engine(root: Path, given: str | None, env: Mapping[str, str]) -> str:
    """What the option says, else `BASECAMP_ENGINE`, else the engine of last time."""
    return given or env.get("BASECAMP_ENGINE") or engine_of_last_time(root) or "embedded"


def engine_of_last_time(root: Path) -> str | None:
    """The engine that the project's Basecamp runs with, or ran with last."""
    try:
        word = (state_dir(root) / "engine").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return word if word in ENGINES else None


def engine_variables(engine: str, env: Mapping[str, str]) -> dict[str, str]:
    """What Basecamp is told: an Airflow that has an address is used, else it gets its own."""
    if engine != "airflow":
        return {"BASECAMP_ENGINE": engine}
    is_managed = not env.get("BASECAMP_AIRFLOW_URL")
    managed = {"BASECAMP_AIRFLOW_MANAGED": "true"} if is_managed else {}
    return {"BASECAMP_ENGINE": engine, **managed}


def install_airflow(root: Path) -> None:
    """Install the managed Airflow, unless it is there; tells its progress on stderr.

    Raises: ConfigurationError (001) when its packages cannot be had.
    """
    done = _basecamp(root, "install", stderr=None)
    if done.returncode != 0:
        raise ConfigurationError("Airflow is not installed; the lines above say why")


def stop_airflow(root: Path) -> bool:
    """End what a killed Basecamp has left of its Airflow; whether there was anything.

    Raises: ServerError when it does not end.
    """
    if not (state_dir(root) / "airflow" / "processes.json").exists():
        return False
    done = _basecamp(root, "stop", stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise ServerError(f"Airflow could not be stopped: {done.stderr.strip()}")
    return "has stopped" in done.stderr


def airflow_status(root: Path) -> dict[str, Any]:
    """`is_installed`, and `parts` with `name`, `is_running` and `log` of each process."""
    done = _basecamp(root, "status", stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise ServerError(f"Airflow cannot be looked at: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _basecamp(root: Path, action: str, *, stderr: int | None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "basecamp", "airflow", action, "--project", str(root)]
    return subprocess.run(  # noqa: S603 - our own interpreter and module
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={**os.environ, "BASECAMP_AIRFLOW_URL": ""},
        text=True,
        check=False,
    )
