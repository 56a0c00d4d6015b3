"""The worker process ends with its engine, whatever its SQL is doing."""

import json
import select
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

SLOW = "SELECT count(*) FROM range(100000000) a, range(1000) b WHERE (a.range + b.range) % 7 = 3"


def slow_run() -> dict[str, Any]:
    return {
        "op": "run",
        "run_id": "run-1",
        "claim": 1,
        "attempt": 1,
        "max_attempts": 1,
        "spec": {"name": "a.b.c", "owner": "ana", "team": "t", "query_statement": SLOW},
        "parameters": {},
        "interval_start": "2026-01-01T00:00:00+00:00",
        "interval_end": "2026-01-02T00:00:00+00:00",
        "timezone": "UTC",
    }


def test_an_engine_that_is_killed_before_it_has_read_all_leaves_no_worker(tmp_path: Path) -> None:
    (tmp_path / "dli.yaml").write_text("project: {name: orphan}\n")
    state = tmp_path / ".dli"
    state.mkdir()
    ours, theirs = socket.socketpair()
    module = "basecamp.engines.embedded.worker"
    words = [str(theirs.fileno()), str(tmp_path), str(state), "", "0", "WARNING"]
    with subprocess.Popen(
        [sys.executable, "-m", module, *words], pass_fds=[theirs.fileno()], stderr=subprocess.PIPE
    ) as worker:
        try:
            theirs.close()
            ours.sendall(json.dumps(slow_run()).encode() + b"\n")
            assert select.select([ours], [], [], 60)[0]  # it has begun and says so
            ours.close()  # unread
            assert worker.wait(20) == 0
            assert worker.stderr is not None
            assert worker.stderr.read() == b""
        finally:
            worker.kill()
