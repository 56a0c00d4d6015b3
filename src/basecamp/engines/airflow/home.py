"""An Airflow of its own for one project: a folder with environment, settings and processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from basecamp.engines.airflow.configuration import (
    Configuration,
    Credentials,
    free_port,
    write_private,
)
from basecamp.engines.airflow.environment import AirflowEnvironment
from basecamp.engines.airflow.heartbeat import silent_parts
from basecamp.engines.airflow.process import AirflowProcess, Birth
from dli.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from basecamp.engines.airflow.configuration import Owner

__all__ = ["AirflowHome", "AirflowStartError", "PartState"]

STARTED = ("api-server", "scheduler", "dag-processor")
STOPPED = ("scheduler", "dag-processor", "api-server")
"""Tasks need the API to end well, so it goes last."""
START_S = 180
GRACE_S = 15
_POLL_S = 0.2
_OTHERS = ("AIRFLOW", "BASECAMP_", "PYTHON", "VIRTUAL_ENV", "DLI_API_TOKEN")
"""Variables of another Airflow or of this server must not reach the processes."""


@dataclass(eq=False, repr=False)
class AirflowStartError(ConfigurationError):
    """A process of the managed Airflow ended or did not answer; its log tells why."""


@dataclass(frozen=True)
class PartState:
    """One process of the managed Airflow as it is now."""

    name: str
    is_running: bool
    pid: int | None
    log: Path


class AirflowHome:
    """Everything lies in `folder`; `environment` may be shared with other homes.

    Install, configure, start, wait_healthy, stop; start and stop again as often as wanted.
    """

    def __init__(self, folder: Path, environment: Path | None = None) -> None:
        self.folder = folder
        self.environment = AirflowEnvironment(environment or folder / "venv")
        self._configuration: Configuration | None = None
        births = self._births()
        self._processes = {
            name: AirflowProcess(name, folder / "processes" / f"{name}.log", births.get(name))
            for name in STARTED
        }

    @property
    def url(self) -> str:
        return self._configured.url

    @property
    def credentials(self) -> Credentials:
        return self._configured.credentials

    def install(self, progress: Callable[[str], None] = lambda _line: None) -> None:
        """Install Airflow and this library, unless both are there already.

        Raises:
            AirflowInstallError: something could not be downloaded or installed (DLI-001).
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.environment.is_installed:
            self.stop()
        self.environment.install(progress)

    def forget(self) -> None:
        """Drop what Airflow remembers of schedules: another engine has run them since.

        Metadata in PostgreSQL stays as it is.
        """
        self.stop()
        for path in self.folder.glob("airflow.db*"):
            path.unlink()
        shutil.rmtree(self.folder / "bundles", ignore_errors=True)

    def configure(
        self,
        store_url: str,
        owner: Owner,
        *,
        port: int | None = None,
        database_url: str | None = None,
        bundles: tuple[Mapping[str, Any], ...] = (),
    ) -> None:
        """Write the settings and bring the metadata to this release's schema.

        The port stays what it was at the last start while it is free. An Airflow that runs with
        other settings is stopped.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("dags", "logs", "processes"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        kept = self._read("home.json").get("port")
        has_it = self._processes["api-server"].is_running
        self._configuration = Configuration(
            home=self.folder,
            store_url=store_url,
            port=kept if has_it and kept else free_port(port or kept),
            credentials=Credentials.at(self.folder / "credentials.json"),
            database_url=database_url,
            bundles=bundles,
        )
        self._owner = owner
        if not self._configuration.is_written:
            self.stop()
            self._configuration.write()
        self._migrate()
        self._note("home.json", port=self._configuration.port)

    def start(self) -> None:
        """Start each process that does not run; those of an earlier start are taken over."""
        for name in STARTED:
            self._start(name)

    def revive(self) -> list[str]:
        """Start again what has ended by itself; returns the names of these processes."""
        ended = [name for name in STARTED if not self._processes[name].is_running]
        for name in ended:
            self._start(name)
        return ended

    def wait_healthy(self, within_s: float = START_S) -> None:
        """Wait for a heartbeat of each process that is younger than its start.

        Raises:
            AirflowStartError: a process has ended, or none came in time (DLI-001).
        """
        deadline = time.monotonic() + within_s
        while silent := self.silent():
            for process in self._processes.values():
                if not process.is_running:
                    raise _start_error(f"{process.name} has ended", process)
            if time.monotonic() > deadline:
                message = f"{silent[0]} gave no sign of life within {within_s:.0f} s"
                raise _start_error(message, self._processes[silent[0]])
            time.sleep(_POLL_S)

    def silent(self) -> list[str]:
        """Names of the processes that are not seen to work; empty when all is well."""
        births = {n: p.birth if p.is_running else None for n, p in self._processes.items()}
        return silent_parts(self.url, births)

    def parts(self) -> list[PartState]:
        """Each process as it is now."""
        found = []
        for name, process in self._processes.items():
            is_running = process.is_running
            pid = process.birth.pid if process.birth and is_running else None
            found.append(PartState(name, is_running, pid, process.log))
        return found

    def stop(self, grace_s: float = GRACE_S) -> list[str]:
        """Stop all processes; returns the names of those that had to be killed.

        A task that still runs after `grace_s` is killed too; Airflow runs it again at its next
        start.
        """
        killed = [name for name in STOPPED if not self._processes[name].stop(grace_s)]
        self._remember()
        return killed

    @property
    def is_left_running(self) -> bool:
        """Whether any process runs, perhaps since an earlier server was killed."""
        return any(process.is_running for process in self._processes.values())

    def process_environment(self) -> dict[str, str]:
        """The variables of each process, also for a command `python -m airflow` by hand."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_OTHERS)}
        own_path = os.pathsep.join((str(self.environment.python.parent), kept.get("PATH", "")))
        return kept | {
            "AIRFLOW_HOME": str(self.folder),
            "DLI_PROJECT": str(self._owner.project),
            "DLI_TEMPLATE_ENV": ",".join(self._owner.template_env),
            "NO_COLOR": "1",
            "PATH": own_path,
            "PYTHONUNBUFFERED": "1",
        }

    @property
    def _configured(self) -> Configuration:
        if self._configuration is None:
            raise AirflowStartError("Airflow is not configured yet.")
        return self._configuration

    def _start(self, name: str) -> None:
        process = self._processes[name]
        if process.is_running:
            return
        command = [str(self.environment.python), "-m", "airflow", name]
        if name == "scheduler":
            # The server for logs would listen on all interfaces; the files are on this machine.
            command.append("--skip-serve-logs")
        process.start(command, self.process_environment())
        self._remember()

    def _migrate(self) -> None:
        """Takes 15 s even when there is nothing to do, hence the note of what it was done for."""
        done_for = f"{self.environment.lock_digest} {self._configured.metadata_url}"
        database = self.folder / "airflow.db"
        is_there = self._configured.database_url is not None or database.exists()
        if is_there and self._read("home.json").get("migrated") == done_for:
            return
        done = subprocess.run(  # noqa: S603 - the environment's own interpreter
            [str(self.environment.python), "-m", "airflow", "db", "migrate"],
            env=self.process_environment(),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        (self.folder / "processes" / "migration.log").write_text(done.stdout + done.stderr)
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
            raise AirflowStartError(f"Airflow's metadata could not be prepared: {last}")
        self._note("home.json", migrated=done_for)

    def _births(self) -> dict[str, Birth]:
        records = self._read("processes.json")
        return {name: Birth.of(record) for name, record in records.items()}

    def _remember(self) -> None:
        births = {n: p.birth.record() for n, p in self._processes.items() if p.birth is not None}
        if self.folder.is_dir():
            write_private(self.folder / "processes.json", json.dumps(births))

    def _note(self, name: str, **values: object) -> None:
        write_private(self.folder / name, json.dumps(self._read(name) | values))

    def _read(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _start_error(message: str, process: AirflowProcess) -> AirflowStartError:
    return AirflowStartError(
        f"Airflow does not work: {message}. It said last: {process.last_line()} "
        f"(log: {process.log})"
    )
