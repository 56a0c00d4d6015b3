"""Sending events of lineage beside the runs: late, or not at all, but never in their way."""

from __future__ import annotations

import logging
import queue
import re
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dli.specs.project import Project
    from dli.warehouse.report import Report

__all__ = ["Emitter", "emitter_of"]

_log = logging.getLogger(__name__)
_WAITING_MAX = 1_000
_TIMEOUT_S = 5.0


def emitter_of(project: Project) -> Emitter | None:
    """The way to the project's lineage target; None when there is none."""
    target = project.config.lineage
    if not target.url:
        return None
    namespace = target.namespace or project.config.project.name
    return Emitter(target.url, namespace, api_key=target.api_key, root=project.root)


class Emitter:
    """Events are made and sent by a thread of their own; what is wrong is only logged.

    When a thousand wait, further ones are dropped.
    """

    def __init__(self, url: str, namespace: str, *, api_key: str | None, root: Path) -> None:
        self._url = url
        self._namespace = namespace
        self._api_key = api_key
        self._root = root
        self._waiting: queue.Queue[Report] = queue.Queue(_WAITING_MAX)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._last_problem = ""

    def tell(self, report: Report) -> None:
        """Take an event; returns at once and raises nothing."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="lineage", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait(report)
        except queue.Full:
            self._note("the target is too slow; events are dropped")

    def flush(self, timeout_s: float = _TIMEOUT_S) -> None:
        """Wait until what was taken is sent, at most this long."""
        with self._waiting.all_tasks_done:
            self._waiting.all_tasks_done.wait_for(
                lambda: not self._waiting.unfinished_tasks, timeout_s
            )

    def _work(self) -> None:
        send: Callable[[Any], object] | None = None
        while True:
            report = self._waiting.get()
            try:
                from dli.warehouse.openlineage import run_event

                event = run_event(report, self._namespace)
                send = send or self._opened()
                send(event)
                self._last_problem = ""
            except ImportError:
                self._note("the extra dli[lineage] is not installed")
            except Exception as error:  # noqa: BLE001 - nothing of this may reach a run
                self._note(f"{type(error).__name__}: {error}")
            finally:
                self._waiting.task_done()

    def _opened(self) -> Callable[[Any], object]:
        parts = urlsplit(self._url)
        if parts.scheme == "file":
            return self._written_to(self._root / parts.path)
        from openlineage.client.transport.http import HttpConfig, HttpTransport

        auth = {"type": "api_key", "apiKey": self._api_key} if self._api_key else {}
        config = {"url": self._url, "timeout": _TIMEOUT_S, "auth": auth, "retry": {"total": 1}}
        transport = HttpTransport(HttpConfig.from_dict(config))
        transport.session.max_redirects = 0  # events go where the project says, and nowhere else
        transport.session.stream = True  # nobody reads what is answered, however long it is
        return transport.emit

    def _written_to(self, path: Path) -> Callable[[Any], object]:
        from dli.warehouse.openlineage import event_text

        def write(event: Any) -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(event_text(event) + "\n")

        return write

    def _note(self, problem: str) -> None:
        """Say it once, not with each event."""
        same = re.sub(r"0x[0-9a-f]+", "", problem)  # urllib3 names its objects with their addresses
        if same != self._last_problem:
            self._last_problem = same
            _log.warning("Events of lineage are not sent: %s", problem)
