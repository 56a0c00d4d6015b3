"""The directory that holds all state of one server: closed to others, used by one process."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dli.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_WRITABLE_BY_OTHERS = 0o022


@dataclass(eq=False, repr=False)
class StateInUseError(ConfigurationError):
    """Another server works on this state; `pid` is its process, when it has told."""

    pid: int | None = None


def prepare(path: Path) -> None:
    """Make the directory, or check that nobody else can change what lies there.

    Raises:
        ConfigurationError: it belongs to another user, others may write to it, or there can be
            none (DLI-001).
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        stat = path.stat()
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        message = f"The state directory cannot be made: {reason}."
        raise ConfigurationError(message, config_path=path) from exc
    if stat.st_uid != os.geteuid():
        raise ConfigurationError("The state directory belongs to another user.", config_path=path)
    if stat.st_mode & _WRITABLE_BY_OTHERS:
        raise ConfigurationError("Others may write to the state directory.", config_path=path)
    path.chmod(0o700)


def note_engine(path: Path, name: str) -> None:
    """Leave the name of the engine for the next start, which takes the same unless told."""
    fresh = path / ".engine"
    fresh.write_text(f"{name}\n", encoding="utf-8")
    fresh.replace(path / "engine")


def noted_engine(path: Path) -> str | None:
    """The engine of the last start; `None` for a state that no server has worked on."""
    try:
        return (path / "engine").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def check_engine(path: Path, name: str) -> None:
    """Raises ConfigurationError (DLI-001) for the way back from Airflow.

    That Airflow may still fire, and what it has fired and no server has seen would run again.
    """
    if name == "embedded" and noted_engine(path) == "airflow":
        raise ConfigurationError(
            "Airflow ran the workflows of this project last, and there is no way back to the "
            "embedded engine: both could run one fire. Take BASECAMP_ENGINE=airflow or --engine "
            f"airflow; or, once that Airflow has stopped for good, remove {path / 'engine'}."
        )


class StateLock:
    """Held as long as a server works on a state directory; the system frees it with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> Self:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            pid = self._holder()
            os.close(self._descriptor)
            named = f" by process {pid}" if pid is not None else ""
            message = f"The state directory is already in use{named}."
            raise StateInUseError(message, pid=pid) from exc
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def _holder(self) -> int | None:
        text = os.pread(self._descriptor, 20, 0)
        return int(text) if text.isdigit() else None
