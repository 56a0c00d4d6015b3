"""A real Basecamp process on a project, to be used and killed by tests."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from dli.core.client import BasecampClient, ServerConfig

__all__ = ["Server", "wait_for"]

Found = TypeVar("Found")


class Server:
    """A Basecamp process on one project, started again as often as it is killed."""

    def __init__(
        self,
        project: Path,
        variables: Mapping[str, str] | None = None,
        *,
        state: str = ".dli",
    ) -> None:
        self.project = project
        self.state = project / state
        self.variables = {"BASECAMP_STATE_DIR": state, **(variables or {})}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "basecamp", "serve", "--project", str(self.project)]
        with (self.project / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port)],
                env=os.environ | self.variables,
                stdout=log,
                stderr=log,
            )
        return self.process

    def client(self, timeout_s: int = 10) -> BasecampClient:
        token = wait_for(lambda: (self.state / "token").read_text().strip())
        return BasecampClient(ServerConfig(f"http://127.0.0.1:{self.port}", timeout_s, token))

    def wait_until_ready(self) -> None:
        client = self.client()
        wait_for(lambda: client.health_check().success)

    def kill_server(self) -> None:
        self.process.kill()
        self.process.wait()
        self.start()

    def workers(self) -> set[int]:
        """Every child of the server; none may be there just now."""
        pids: set[int] = set()
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            pids.update(int(pid) for pid in (task / "children").read_text().split())
        return pids

    def signal_worker(self, number: signal.Signals) -> None:
        for pid in self.workers():
            os.kill(pid, number)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(15)


def wait_for(found: Callable[[], Found | None], within_s: float = 60.0) -> Found:
    """What `found` gives as soon as it is true; a server that is away counts as not yet."""
    deadline = time.monotonic() + within_s
    last: object = None
    while time.monotonic() < deadline:
        try:
            if value := found():
                return value
        except (OSError, ValueError, KeyError) as exc:
            last = exc
        threading.Event().wait(0.02)
    pytest.fail(f"not within {within_s} s: {last}")
