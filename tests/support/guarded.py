"""A server of the tests in a process of its own; it ends with the tests, however they end."""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

__all__ = ["Guarded", "running"]

# The end of its standard input is the end of the tests; a signal of the terminal is not for it.
_GUARD = """
import shutil, subprocess, sys, threading
number, user, folder, *command = sys.argv[1:]
who = {} if user == "-" else {"user": int(user), "group": int(user)}
server = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=folder, **who)
def watch():
    sys.stdin.read()
    server.send_signal(int(number))
watcher = threading.Thread(target=watch, daemon=True)
watcher.start()
server.wait()
watcher.join()
shutil.rmtree(folder, ignore_errors=True)
"""


class Guarded:
    """A command in a folder that goes with it; `end` is the signal that ends it."""

    def __init__(
        self,
        folder: Path,
        command: Sequence[str | Path],
        *,
        end: signal.Signals = signal.SIGKILL,
        user: int | None = None,
    ) -> None:
        who = "-" if user is None else str(user)
        with (folder / "server.log").open("ab") as log:
            self._guard = subprocess.Popen(
                [sys.executable, "-c", _GUARD, str(int(end)), who, folder, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self) -> None:
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait(30)


class Server(Protocol):
    def wait_until_ready(self) -> None: ...

    def stop(self) -> None: ...


Started = TypeVar("Started", bound=Server)


@contextmanager
def running(name: str, start: Callable[[Path], Started]) -> Iterator[Started]:
    """A server that `start` makes in a folder of its own, for as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix=f"dli-{name}-", dir="/tmp"))
    try:
        server = start(folder)
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
