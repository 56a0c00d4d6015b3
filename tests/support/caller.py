"""Callers that start runs one after the other, each under a key of its own, until each is taken."""

import http.client
import json
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from process import Server

__all__ = ["Callers", "Taken"]

_PAUSE_S = 0.02


@dataclass(frozen=True)
class Taken:
    """A request that was answered with 2xx, and when."""

    key: str
    run_id: str
    day: str
    at: float


class Callers:
    """Several threads; each asks again with the same key whenever it got no good answer.

    So every request is taken in the end: as many runs as answers is what must be stored. Each
    thread has a dataset of its own and asks for one day after the other. `pause_s` lies between
    two requests.
    """

    def __init__(self, server: Server, datasets: list[str], *, pause_s: float = 0.0) -> None:
        self.taken: dict[str, list[Taken]] = {name: [] for name in datasets}
        self.tries = 0
        self.refusals: set[tuple[int, str]] = set()
        self._server = server
        self._pause_s = pause_s
        self._token = (server.state / "token").read_text().strip()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(name,)) for name in datasets]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """After the request that is under way has been taken."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def count(self) -> int:
        return sum(len(taken) for taken in self.taken.values())

    def _call(self, name: str) -> None:
        day = datetime(1900, 1, 1, tzinfo=UTC)
        while not self._stop.is_set():
            text = day.date().isoformat()
            self.taken[name].append(self.ask(name, text))
            day += timedelta(days=1)
            self._stop.wait(self._pause_s)

    def ask(self, name: str, day: str) -> Taken:
        """Ask for one run until it is taken, in whatever thread."""
        key = f"{name}-{day}"
        while True:
            self.tries += 1
            try:
                run_id = self._try(name, key, day)
            except (OSError, http.client.HTTPException, ValueError):
                run_id = None
            if run_id is not None:
                return Taken(key, run_id, day, time.monotonic())
            time.sleep(_PAUSE_S)

    def _try(self, name: str, key: str, day: str) -> str | None:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=10)
        try:
            body = json.dumps({"parameters": {"execution_date": day}})
            headers = {
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                "Idempotency-Key": key,
            }
            connection.request("POST", f"/api/v1/workflows/{name}/run", body, headers)
            answer = connection.getresponse()
            content = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status // 100 == 2:
            return str(content["run_id"])
        self.refusals.add((answer.status, content.get("code", "")))
        return None
