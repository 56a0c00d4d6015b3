"""One process of the managed Airflow, in a session of its own, found again after a restart."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["AirflowProcess", "Birth"]

_POLL_S = 0.02
_KILL_S = 5
_LOG_LIMIT_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Birth:
    """Which process it is: an id may go to another program once its process has ended."""

    pid: int
    mark: str
    started_at: datetime

    def record(self) -> dict[str, Any]:
        return {"pid": self.pid, "mark": self.mark, "started_at": self.started_at.isoformat()}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Birth:
        started_at = datetime.fromisoformat(record["started_at"])
        return cls(int(record["pid"]), str(record["mark"]), started_at)


class AirflowProcess:
    """Started once; Basecamp may end and come back, the process goes on meanwhile."""

    def __init__(self, name: str, log: Path, birth: Birth | None = None) -> None:
        self.name = name
        self.log = log
        self.birth = birth
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        if self._child is not None and self._child.poll() is not None:
            return False
        return self.birth is not None and _mark(self.birth.pid) == self.birth.mark

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> Birth:
        """Start it; what an earlier one may have left behind is ended first."""
        self.kill()
        self._keep_log_short()
        started_at = datetime.now(UTC)
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(  # noqa: S603 - the environment's own interpreter
                command,
                env=environment,
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                umask=0o077,
            )
        pid = self._child.pid
        self.birth = Birth(pid, _mark(pid) or "", started_at)
        return self.birth

    def stop(self, grace_s: float) -> bool:
        """Ask it to end, and end its whole session after `grace_s`; whether it ended by itself."""
        if not self.is_running or self.birth is None:
            self.kill()
            return True
        with suppress(ProcessLookupError):
            os.kill(self.birth.pid, signal.SIGTERM)
        has_ended = self.wait(grace_s)
        self.kill()
        return has_ended

    def wait(self, within_s: float) -> bool:
        """Whether it has ended within that time."""
        deadline = time.monotonic() + within_s
        while self.is_running:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def kill(self) -> None:
        """End the process and all that it has started."""
        if self.birth is None:
            return
        if self.is_running or _mark(self.birth.pid) is None:
            _end_session(self.birth.pid)
            self.wait(_KILL_S)
        if self._child is not None:  # takes note of the end, or the system keeps a zombie
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(_KILL_S)
        self.birth = None

    def last_line(self) -> str:
        """What it said last, for the message about its end."""
        try:
            lines = self.log.read_bytes()[-4096:].decode("utf-8", "replace").splitlines()
        except FileNotFoundError:
            lines = []
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing")

    def _keep_log_short(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))


def _end_session(leader: int) -> None:
    deadline = time.monotonic() + _KILL_S
    while (pids := _session(leader)) and time.monotonic() < deadline:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_S)


def _mark(pid: int) -> str | None:
    """When the process began, as the system tells it; `None` once it has ended."""
    if Path("/proc/self/stat").exists():
        fields = _stat(pid)
        return None if fields is None or fields[0] == "Z" else fields[19]
    listing = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    said = subprocess.run(listing, capture_output=True, text=True, check=False)  # noqa: S603
    state, _, began = said.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else began.strip()


def _stat(pid: int) -> list[str] | None:
    """What follows the name in the process's line: state, parent, group, session, ..."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _session(leader: int) -> list[int]:
    """The processes of a session, its leader last: tasks run in groups of their own."""
    numbers = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
    stats = ((pid, stat) for pid in numbers if (stat := _stat(pid)))
    members = [pid for pid, stat in stats if stat[3] == str(leader) and stat[0] != "Z"]
    if not Path("/proc/self/stat").exists():
        listing = ["ps", "-axo", "pid=,pgid="]
        said = subprocess.run(listing, capture_output=True, text=True, check=False)  # noqa: S603
        pairs = (line.split() for line in said.stdout.splitlines())
        members = [int(pid) for pid, group in pairs if group == str(leader)]
    return sorted(members, key=lambda pid: pid == leader)
