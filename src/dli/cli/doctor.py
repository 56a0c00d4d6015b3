"""`dli doctor`: what is wrong with this setup, and what to do about it."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import click

from dli import __version__
from dli.cli.connection import project_root
from dli.cli.engine import airflow_status, engine_of_last_time
from dli.cli.option import format_option, path_option
from dli.cli.output import emit_json, emit_table
from dli.client.basecamp import BasecampClient, ServerConfig
from dli.config import Settings, read_server_state, resolve_server, state_dir
from dli.exceptions import CODES, DLIError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dli.specs.project import Project

__all__ = ["check_configuration", "check_server", "emit_checks"]

SERVER_PACKAGES = ("fastapi", "uvicorn", "sqlalchemy", "alembic")


@dataclass(frozen=True)
class Check:
    """One finding; `next_step` only where there is something to do."""

    name: str
    state: Literal["ok", "warn", "fail"]
    found: str
    next_step: str = ""


@click.command()
@format_option("-f")
@path_option()
def doctor(*, format: str, path: Path | None) -> None:
    """Look for what is wrong with this setup; exit code 1 when something is."""
    checks = [check_python(), check_server_extra(), *check_configuration(path)]
    checks += [*check_specs(path), *check_state_dir(path), *check_server(path)]
    checks += check_airflow(path)
    emit_checks(checks, format)


def emit_checks(checks: list[Check], format: str) -> None:
    """Print them all; ends the command with exit code 1 when one failed."""
    if format == "json":
        emit_json([asdict(check) for check in checks])
    else:
        rows = [(c.state, c.name, " ".join(filter(None, (c.found, c.next_step)))) for c in checks]
        emit_table(("STATE", "CHECK", "FOUND"), rows)
    if any(check.state == "fail" for check in checks):
        raise click.exceptions.Exit(1)


def check_python() -> Check:
    return Check("dli", "ok", f"{__version__} on Python {sys.version.split()[0]}")


def check_server_extra() -> Check:
    missing = [name for name in SERVER_PACKAGES if find_spec(name) is None]
    if missing:
        found = f"{', '.join(missing)} not installed; `dli up` cannot start a server."
        return Check("server extra", "warn", found, "Install dli[server].")
    return Check("server extra", "ok", "installed")


def check_configuration(path: Path | None) -> Iterator[Check]:
    try:
        root = project_root(path)
        list(Settings(root, os.environ))
    except DLIError as error:
        yield _failed("configuration", error)
        return
    if root is None:
        yield Check("project", "warn", "No dli.yaml here or above.", "Make one with `dli init`.")
    else:
        yield Check("project", "ok", str(root))


def check_specs(path: Path | None) -> Iterator[Check]:
    from dli.specs.project import Project

    root = _root_or_none(path)
    if root is None:
        return
    try:
        project = Project.open(root, os.environ)
        datasets = project.datasets()
    except DLIError as error:
        yield _failed("specs", error)
        return
    for warning in project.warnings:
        yield Check("project", "warn", warning)
    for problem in project.problems:
        yield Check("specs", "fail", str(problem))
    yield Check("specs", "ok" if datasets else "warn", f"usable datasets: {len(datasets)}")
    yield from _check_sources(project)
    if project.config.lineage.url and find_spec("openlineage") is None:
        found = "A lineage target is set, and its library is not installed: it is told nothing."
        yield Check("lineage", "warn", found, "Install dli[lineage].")


def _check_sources(project: Project) -> Iterator[Check]:
    from dli.warehouse.source import source_views

    for view in source_views(project.sources, data_root=project.root).values():
        try:
            view.fingerprint()
        except DLIError as error:
            yield Check("sources", "fail", f"{error.message}.", "Correct `sources` in dli.yaml.")


def check_state_dir(path: Path | None) -> Iterator[Check]:
    """Others must not read the server's token or change its state."""
    root = _root_or_none(path)
    if root is None or os.name != "posix" or not state_dir(root).exists():
        return
    place = state_dir(root)
    mode = place.stat().st_mode & 0o777
    if mode & 0o077:
        yield Check(
            "state folder", "fail", f"{place} is open to others ({mode:o}).", f"chmod 700 {place}"
        )
    else:
        yield Check("state folder", "ok", str(place))


def check_server(path: Path | None) -> Iterator[Check]:
    try:
        server = resolve_server(project_root(path), os.environ)
    except DLIError as error:
        yield _failed("server", error)
        return
    if server is None:
        yield Check(
            "server", "warn", "None is configured and none runs.", "Start one with `dli up`."
        )
        return
    where = f"{server.url} (from {server.source})"
    with BasecampClient(ServerConfig(server.url, timeout=5, api_key=server.token)) as client:
        health = client.health_check()
        if not health.success:
            yield Check("server", "fail", f"{where}: {health.error}.", _help(health.code))
            return
        data = health.data if isinstance(health.data, dict) else {}
        version = str(data.get("version", "unknown"))
        yield Check("server", "ok", f"{where} is healthy, version {version}")
        if version != __version__:
            yield Check(
                "version", "warn", f"Server {version}, library {__version__}.", "Use one version."
            )
        allowed = client.workflow_list(limit=1)
    if allowed.success:
        yield Check("token", "ok", "accepted")
    else:
        yield Check("token", "fail", f"{allowed.error}.", _help(allowed.code))


def check_airflow(path: Path | None) -> Iterator[Check]:
    """The processes of an Airflow that Basecamp has started for this project."""
    root = _root_or_none(path)
    if root is None or not (state_dir(root) / "airflow").is_dir():
        return
    try:
        status = airflow_status(root)
    except DLIError as error:
        yield _failed("airflow", error)
        return
    is_up = read_server_state(root) is not None
    is_wanted = is_up and engine_of_last_time(root) == "airflow"
    if not status["is_installed"]:
        yield Check("airflow", "warn", "not installed", "`dli up --engine airflow` installs it.")
    for part in status["parts"]:
        name, log = f"airflow {part['name']}", f"Its log: {part['log']}"
        if part["is_running"] and not is_up:
            found = "runs without Basecamp, schedules go on"
            yield Check(name, "warn", found, "`dli up` or `dli down`.")
        elif is_wanted:
            state: Literal["ok", "fail"] = "ok" if part["is_running"] else "fail"
            found = f"runs, pid {part['pid']}" if part["is_running"] else "does not run."
            yield Check(name, state, found, "" if part["is_running"] else log)


def _root_or_none(path: Path | None) -> Path | None:
    try:
        return project_root(path)
    except DLIError:
        return None


def _failed(name: str, error: DLIError) -> Check:
    return Check(name, "fail", str(error), _help(error.code.value))


def _help(code: str | None) -> str:
    return next((info.help for known, info in CODES.items() if known.value == code), "")
