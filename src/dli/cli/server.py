"""`dli up|down`: the Basecamp of this project, started and stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dli.cli.connection import required_root
from dli.cli.engine import (
    ENGINES,
    chosen_engine,
    engine_of_last_time,
    engine_variables,
    install_airflow,
    stop_airflow,
)
from dli.cli.option import path_option
from dli.cli.output import clean, emit, note
from dli.client.basecamp import BasecampClient, ServerConfig
from dli.config import is_alive, make_private, read_server_state, state_dir
from dli.exceptions import ConfigurationError, ServerError

if TYPE_CHECKING:
    from dli.config import ServerState

START_S = 30
STOP_S = 12
AIRFLOW_START_S = 240
AIRFLOW_STOP_S = 75
POLL_S = 0.02


@click.command()
@click.option("--foreground", is_flag=True, help="Stay attached, with the log on this terminal.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Loopback port; default: a free one."
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="What runs the workflows; default: as last time. `airflow` without BASECAMP_AIRFLOW_URL"
    " installs and starts an Airflow for this project.",
)
@path_option()
def up(*, foreground: bool, port: int, engine: str | None, path: Path | None) -> None:
    """Start Basecamp for this project, in the background."""
    root = required_root(path)
    running = _answering(root)
    if running is not None:
        _check_engine(root, engine)
        if port and not running.url.endswith(f":{port}"):
            raise _runs_already(f"at {running.url}")
        note(f"Basecamp already runs at {running.url} (pid {running.pid}).")
        return
    if find_spec("uvicorn") is None or find_spec("fastapi") is None:
        error = ConfigurationError("The server is not installed")
        error.add_note("Install dli[server].")
        raise error
    command = _command(root, port)
    engine = chosen_engine(root, engine, os.environ)
    variables = engine_variables(engine, os.environ)
    if "BASECAMP_AIRFLOW_MANAGED" in variables:
        install_airflow(root)
        note("Starting Airflow and Basecamp.")
    os.environ.update(variables)
    if foreground:
        os.execv(sys.executable, command)  # noqa: S606 - our own interpreter and module
    state = _start(command, root, START_S if engine == "embedded" else AIRFLOW_START_S)
    emit(f"Basecamp runs at {state.url} (pid {state.pid}).")
    if "BASECAMP_AIRFLOW_MANAGED" in variables:
        note(f"Airflow's account is in {state_dir(root) / 'airflow' / 'credentials.json'}.")
    note("Stop it with: dli down")


@click.command()
@path_option()
def down(*, path: Path | None) -> None:
    """Stop the Basecamp of this project; runs in progress are handed back."""
    root = required_root(path)
    state = read_server_state(root)
    if state is None or not _is_basecamp(state.pid):
        if stop_airflow(root):
            emit("The Airflow that an earlier Basecamp had left has stopped.")
        else:
            note("No Basecamp runs for this project.")
        return
    patience_s = AIRFLOW_STOP_S if engine_of_last_time(root) == "airflow" else STOP_S
    os.kill(state.pid, signal.SIGTERM)
    if _wait_until_gone(state.pid, patience_s):
        emit("Basecamp has stopped.")
        return
    os.kill(state.pid, signal.SIGKILL)
    _wait_until_gone(state.pid, patience_s)
    stop_airflow(root)
    emit(f"Basecamp did not stop within {patience_s} s and was killed.")


def _check_engine(root: Path, wanted: str | None) -> None:
    """Raises: ConfigurationError (001) when the running Basecamp has another engine."""
    current = engine_of_last_time(root)
    if wanted is not None and current is not None and wanted != current:
        raise _runs_already(f"with the engine {current}")


def _runs_already(how: str) -> ConfigurationError:
    error = ConfigurationError(f"Basecamp runs already, {how}")
    error.add_note("Stop it first with: dli down")
    return error


def _command(root: Path, port: int) -> list[str]:
    serve = [sys.executable, "-m", "basecamp", "serve"]
    return [*serve, "--project", str(root), "--port", str(port)]


def _start(command: list[str], root: Path, patience_s: float) -> ServerState:
    """Start it detached and wait until it answers.

    Raises: ServerError (503) when it ends or does not answer in time.
    """
    folder = state_dir(root)
    make_private(folder)
    log = folder / "basecamp.log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as output:
        beginning = output.tell()
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    deadline = time.monotonic() + patience_s
    try:
        while process.poll() is None and time.monotonic() < deadline:
            state = _answering(root)
            if state is not None:
                return state
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        process.terminate()
        raise
    # Another `dli up` may have been faster: then ours has ended and that one answers.
    state = _answering(root)
    if state is not None:
        return state
    if process.poll() is None:
        process.terminate()
        raise _not_started(f"Basecamp did not answer within {patience_s} s", log)
    raise _not_started(f"Basecamp did not start: {_last_line(log, beginning)}", log)


def _not_started(message: str, log: Path) -> ServerError:
    error = ServerError(message)
    error.add_note(f"Its log: {log}")
    return error


def _last_line(log: Path, beginning: int) -> str:
    with log.open("rb") as file:
        file.seek(beginning)
        lines = file.read().decode("utf-8", "replace").split("\n")
    return next((_said(line) for line in reversed(lines) if line.strip()), "it said nothing")


def _said(line: str) -> str:
    """A line of the log without its frame: JSON, or the code of an error."""
    with suppress(ValueError, TypeError, LookupError):
        line = str(json.loads(line)["event"])
    return re.sub(r"^Error \[DLI-\d+\]:? ", "", clean(line))


def _answering(root: Path) -> ServerState | None:
    state = read_server_state(root)
    if state is None:
        return None
    with BasecampClient(ServerConfig(state.url, timeout=1)) as client:
        return state if client.health_check().success else None


def _is_basecamp(pid: int) -> bool:
    """A process id may have gone to another program since the state was written."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        listing = ["ps", "-o", "command=", "-p", str(pid)]
        try:
            words = subprocess.run(listing, capture_output=True, check=False).stdout  # noqa: S603
        except FileNotFoundError:
            return True
    return b"basecamp" in words


def _wait_until_gone(pid: int, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if not is_alive(pid):
            return True
        time.sleep(POLL_S)
    return False
