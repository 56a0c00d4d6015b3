"""The command `python -m basecamp serve`: options in, exit status out."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from basecamp import journal
from basecamp.settings import Settings
from dli import __version__, span
from dli.exceptions import ConfigurationError, DLIError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Sequence

_log = logging.getLogger(__name__)
_FLUSH_S = 1.0
_EXIT_FAILED = 1
_EXIT_STORE_UNUSABLE = 3
_EXIT_IN_USE = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    given = _parser().parse_args(arguments)
    try:
        project = given.project.resolve()
        if not project.is_dir():
            raise ConfigurationError(
                "The project directory does not exist.", code=ErrorCode.PROJECT_NOT_FOUND
            )
        if given.command == "airflow":
            return _look_after_airflow(given.action, project)
        if given.command in ("backup", "restore"):
            return _keep_state(given, Settings.from_env(os.environ, project=project))
        settings = Settings.from_env(os.environ, project=project, host=given.host, port=given.port)
        journal.set_up_logging(settings.log_level)
        if (why := span.set_up("basecamp", os.environ)) is not None:
            _log.warning("tracing.off", extra={"reason": why})
        return _serve(settings)
    except DLIError as exc:
        return _refuse(exc, _EXIT_FAILED)


def _serve(settings: Settings) -> int:
    from basecamp.app import StoreUnusableError
    from basecamp.serve import serve
    from basecamp.state_dir import StateInUseError

    try:
        serve(settings)
    except StoreUnusableError as exc:
        return _refuse(exc, _EXIT_STORE_UNUSABLE)
    except StateInUseError as exc:
        return _refuse(exc, _EXIT_IN_USE)
    finally:
        span.flush(_FLUSH_S)
    return 0


def _keep_state(given: argparse.Namespace, settings: Settings) -> int:
    from basecamp import backup
    from basecamp.state_dir import StateInUseError

    try:
        if given.command == "backup":
            backup.back_up(settings, given.file, overwrite=given.force)
        elif (aside := backup.restore(settings, given.file, overwrite=given.force)) is not None:
            print(aside)  # noqa: T201 - where the state that was there has gone
    except StateInUseError as exc:
        return _refuse(exc, _EXIT_IN_USE)
    return 0


def _look_after_airflow(action: str, project: Path) -> int:
    from basecamp.airflow_part import ACTIONS

    given = {"BASECAMP_ENGINE": "airflow", "BASECAMP_AIRFLOW_MANAGED": "true"}
    return ACTIONS[action](Settings.from_env(os.environ | given, project=project))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="basecamp", description="The Basecamp server.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    serve = commands.add_parser("serve", help="serve one project until SIGTERM or Ctrl-C")
    serve.add_argument("--project", type=Path, required=True, help="directory with dli.yaml")
    serve.add_argument("--host", help="address to listen on; default 127.0.0.1")
    serve.add_argument("--port", type=int, help="0 takes a free port; default 0")
    airflow = commands.add_parser("airflow", help="the managed Airflow of one project")
    airflow.add_argument("action", choices=("install", "status", "stop"))
    airflow.add_argument("--project", type=Path, required=True, help="directory with dli.yaml")
    for name, what in (("backup", "write the state into"), ("restore", "take the state out of")):
        keep = commands.add_parser(name, help=f"{what} one file")
        keep.add_argument("file", type=Path)
        keep.add_argument("--force", action="store_true", help="replace what is there")
        keep.add_argument("--project", type=Path, required=True, help="directory with dli.yaml")
    return parser


def _refuse(error: DLIError, status: int) -> int:
    print(f"Error {error}", file=sys.stderr)  # noqa: T201 - the one line for people
    return status
