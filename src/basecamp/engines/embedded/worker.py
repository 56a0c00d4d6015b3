"""The worker process: renders datasets and runs their SQL, one thread for each run.

It speaks JSON lines over a socket that the engine holds. When the engine goes, the socket
closes and the process ends at once; the warehouse rolls back what was not committed.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from basecamp import journal
from basecamp.engines.embedded.desk import Desk
from basecamp.engines.embedded.inquiry import SUBJECTS
from basecamp.engines.embedded.job import Job, JobFailed
from basecamp.engines.embedded.log import RunLog
from basecamp.engines.embedded.memory import limit_memory
from basecamp.engines.embedded.news import News
from basecamp.engines.embedded.workshop import Workshop
from basecamp.failpoint import failpoint
from dli.exceptions import DLIError
from dli.outgoing import watch
from dli.span import set_up

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)
Message = dict[str, Any]
_THREADS = 128  # more than runs and questions together can be, so that none waits for another


class Worker:
    """Reads requests, runs them on threads and reports what became of them."""

    def __init__(
        self, line: socket.socket, project: Path, state_dir: Path, allowed_env: dict[str, str]
    ) -> None:
        self._line = line
        self._send_lock = threading.Lock()
        self._render_lock = threading.Lock()
        self._logs_dir = state_dir / "logs"
        self._logs_dir.mkdir(mode=0o700, exist_ok=True)
        self._workshop = Workshop(project, allowed_env)
        watch(lambda: self._workshop.destinations)
        self._news = News(lambda ids: self._send({"op": "logged", "run_ids": ids}))
        self._jobs: dict[tuple[str, int], Job] = {}
        self._desks: dict[int, Desk] = {}
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="run")

    def serve(self) -> None:
        """Handle messages until the engine hangs up."""
        with suppress(ConnectionError), self._line.makefile("rb") as lines:
            for line in lines:
                self._handle(json.loads(line))
        self._workshop.close()

    def _handle(self, message: Message) -> None:
        match message["op"]:
            case "run":
                job = self._job(message)
                self._jobs[message["run_id"], message["claim"]] = job
                self._pool.submit(self._run, job, message)
            case "interrupt":
                job_or_none = self._jobs.get((message["run_id"], message["claim"]))
                if job_or_none is not None:
                    job_or_none.interrupt(is_late=message["is_late"])
            case "ask":
                which = {"ask": message["id"]}
                desk = Desk(self._workshop, partial(self._rendering, which))
                self._desks[message["id"]] = desk
                self._pool.submit(self._ask, desk, message)
            case "withdraw":
                desk_or_none = self._desks.get(message["id"])
                if desk_or_none is not None:
                    desk_or_none.withdraw()

    @contextmanager
    def _rendering(self, what: Message) -> Iterator[None]:
        """Out of memory, the template engine ends the process: say before what it works on.

        To render is what a run begins with, so this also tells that it has begun.
        """
        with self._render_lock:
            self._send({"op": "rendering", "what": what})
            try:
                yield
            finally:
                self._send({"op": "rendering", "what": None})

    def _job(self, message: Message) -> Job:
        run_id = message["run_id"]
        log = RunLog(self._logs_dir / f"{run_id}.jsonl", lambda: self._news.add(run_id))
        which = {"run_id": run_id, "claim": message["claim"]}
        return Job(self._workshop, message, log, self._rendering(which))

    def _run(self, job: Job, message: Message) -> None:
        which: Message = {"run_id": message["run_id"], "claim": message["claim"]}
        report: Message = {"op": "result", **which}
        journal.run_id.set(message["run_id"])
        journal.request_id.set(message.get("request_id"))
        try:
            failpoint("worker.begun")
            with job.measured():
                report |= {"ok": True, "rows_affected": job.run()}
            failpoint("worker.done")
        except JobFailed as failed:
            report |= {"ok": False, "code": failed.code, "message": failed.message}
        except Exception as exc:  # noqa: BLE001 - the engine must hear of every end
            _log.exception("run failed unexpectedly")
            report |= {"ok": False, "message": f"Unexpected {type(exc).__name__} in the worker."}
        finally:
            del self._jobs[message["run_id"], message["claim"]]
            job.close()
            self._news.discard(message["run_id"])
            journal.run_id.set(None)
            journal.request_id.set(None)
        self._send(report)

    def _ask(self, desk: Desk, message: Message) -> None:
        answer: Message = {"op": "answered", "id": message["id"]}
        try:
            result = SUBJECTS[message["subject"]](desk, message["arguments"])
            self._send({**answer, "ok": True, "result": result})
        except DLIError as refused:
            code, text = refused.code.value, refused.message
            self._send({**answer, "ok": False, "code": code, "message": text})
        except Exception as exc:  # noqa: BLE001 - as above, for the request that waits
            _log.exception("question failed unexpectedly")
            text = f"Unexpected {type(exc).__name__} in the worker."
            self._send({**answer, "ok": False, "message": text})
        finally:
            del self._desks[message["id"]]

    def _send(self, message: Message) -> None:
        data = json.dumps(message, ensure_ascii=False).encode() + b"\n"
        try:
            with self._send_lock:
                self._line.sendall(data)
        except OSError:
            return  # the engine is gone, and so are we as soon as `serve` sees it


def main(arguments: list[str]) -> None:
    """Serve the engine on an inherited socket; ends the process when it hangs up."""
    descriptor, project, state_dir, names, memory_mb, log_level = arguments
    journal.set_up_logging(log_level)
    set_up("basecamp-worker", os.environ)  # the server has told why not
    limit_memory(int(memory_mb))
    allowed_env = {name: os.environ[name] for name in names.split(",") if name in os.environ}
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line = socket.socket(fileno=int(descriptor))
    Worker(line, Path(project), Path(state_dir), allowed_env).serve()
    os._exit(0)  # running SQL must not outlive the engine


if __name__ == "__main__":
    main(sys.argv[1:])
