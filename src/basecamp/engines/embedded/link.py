"""The engine's end of the line to its worker process."""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Message = dict[str, Any]


class WorkerLink:
    """One worker process: started in its own process group, spoken to in JSON lines.

    `receive` is called from a reading thread for each message, and once with
    `{"op": "gone"}` when the process has ended, however it ended.
    """

    def __init__(
        self,
        project: Path,
        state_dir: Path,
        template_env: Sequence[str],
        receive: Callable[[WorkerLink, Message], None],
        *,
        memory_mb: int = 0,
    ) -> None:
        self._receive = receive
        self._rendered: Message | None = None
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._begun: set[tuple[str, int]] = set()
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [
                sys.executable,
                "-m",
                "basecamp.engines.embedded.worker",
                str(theirs.fileno()),
                str(project),
                str(state_dir),
                ",".join(template_env),
                str(memory_mb),
                logging.getLevelName(logging.getLogger(__name__).getEffectiveLevel()),
            ],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        self._writer = threading.Thread(target=self._write, name="worker-writer", daemon=True)
        self._writer.start()
        self._thread = threading.Thread(target=self._read, name="worker-link", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    def has_begun(self, run_id: str, claim: int) -> bool:
        """Whether the worker had begun this attempt and has not told its end."""
        return (run_id, claim) in self._begun

    @property
    def culprit(self) -> Message | None:
        """The run or question whose template took more memory than there is, and so the worker."""
        return self._rendered if self._process.returncode == -signal.SIGABRT else None

    def send(self, message: Message) -> None:
        """Have one message written; does not wait for a worker that is stuck or gone."""
        self._outbox.put(json.dumps(message, ensure_ascii=False).encode() + b"\n")

    def kill(self) -> None:
        """End the worker and all it started, at once."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def close(self, timeout_s: float) -> None:
        """Hang up, so that the worker ends by itself; kill it if it does not."""
        self._outbox.put(None)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self._thread.join(timeout_s)

    def _write(self) -> None:
        with suppress(OSError):  # the worker is gone, which the reading thread tells
            while (data := self._outbox.get()) is not None:
                self._socket.sendall(data)
            self._socket.shutdown(socket.SHUT_WR)

    def _read(self) -> None:
        try:
            with self._socket, self._socket.makefile("rb") as lines:
                for line in lines:
                    self._take(json.loads(line))
        except (OSError, ValueError):
            pass  # a torn line or connection: the worker is gone
        self.kill()
        self._process.wait()
        self._outbox.put(None)
        self._writer.join()
        self._socket.close()
        self._receive(self, {"op": "gone"})

    def _take(self, message: Message) -> None:
        if message["op"] == "rendering":
            self._rendered = what = message["what"]
            if what is not None and "run_id" in what:
                self._begun.add((what["run_id"], what["claim"]))
            return
        if message["op"] == "result":
            self._begun.discard((message["run_id"], message["claim"]))
        self._receive(self, message)
