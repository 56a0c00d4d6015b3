"""The line to a worker process that does not do what it should."""

import os
import queue
import signal
import threading
from pathlib import Path
from typing import Any

from basecamp.engines.embedded.link import WorkerLink


def test_a_worker_that_reads_nothing_holds_up_nobody_and_can_be_killed(tmp_path: Path) -> None:
    (tmp_path / ".dli").mkdir()
    told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    link = WorkerLink(tmp_path, tmp_path / ".dli", (), lambda _, message: told.put(message))
    os.kill(link.pid, signal.SIGSTOP)
    message = {"op": "check", "spec": "x" * 4_000_000}
    sender = threading.Thread(target=link.send, args=(message,), daemon=True)
    sender.start()
    sender.join(10)
    assert not sender.is_alive()
    link.kill()
    assert told.get(timeout=30) == {"op": "gone"}
    link.send(message)
    link.close(timeout_s=5)
