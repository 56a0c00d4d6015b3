"""A dli project of trivial daily datasets, and the Basecamp that runs for it."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from datetime import date, timedelta
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlsplit

from benchmarks.measure import Command
from benchmarks.seed import seed_runs, seed_workflows
from benchmarks.yardstick import clean_env, dli

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["SLOW", "STATEMENTS", "TRIVIAL", "BenchProject", "Connection", "wait_until"]

TRIVIAL = "bench.daily.tally"
SLOW = "bench.daily.slow"
STATE = ".dli"

STATEMENTS = (
    "CREATE TABLE IF NOT EXISTS {table} (day DATE, n BIGINT)",
    "DELETE FROM {table} WHERE day = DATE '{day}'",
    "INSERT INTO {table} SELECT DATE '{day}', n FROM UNNEST(SEQUENCE(1, 100)) AS t (n)",
)
"""What one run does: it replaces the 100 rows of one day."""

_DATASET = """\
name: {name}
owner: bench@example.com
team: bench
schedule:
  cron: "0 3 * * *"
  enabled: false
pre_statements:
  - name: table
    sql: {create}
  - name: day
    sql: {delete}
query_statement: {insert}
"""
_ENDLESS = "INSERT INTO {table} SELECT DATE '{day}', count(*) FROM {many} a, {many} b, {many} c"


class Connection:
    """One kept HTTP connection to Basecamp, or to another API below `prefix`."""

    def __init__(self, url: str, token: str, prefix: str = "/api/v1") -> None:
        parts = urlsplit(url)
        self._prefix = prefix
        self._http = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def get(self, path: str) -> Any:
        try:
            return self._ask("GET", path)
        except RemoteDisconnected:  # it was kept for too long
            self._http.close()
            return self._ask("GET", path)

    def find(self, path: str) -> Any:
        """None when there is no such thing."""
        try:
            return self.get(path)
        except LookupError:
            return None

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._ask("POST", path, json.dumps(body))

    def start_run(self, dataset: str) -> str:
        """Queue a run and return its id."""
        return str(self.post(f"/workflows/{quote(dataset)}/run", {})["run_id"])

    def start_backfill(self, dataset: str, first_day: str, days: int) -> str:
        """Queue one run for each of the days and return the id of the whole."""
        last_day = date.fromisoformat(first_day) + timedelta(days=days - 1)
        body = {"start_date": first_day, "end_date": last_day.isoformat()}
        return str(self.post(f"/workflows/{quote(dataset)}/backfill", body)["run_id"])

    def close(self) -> None:
        self._http.close()

    def _ask(self, method: str, path: str, body: str | None = None) -> Any:
        self._http.request(method, f"{self._prefix}{path}", body, self._headers)
        answer = self._http.getresponse()
        text = answer.read()
        if answer.status == 404:
            raise LookupError(f"{method} {path}: {text[:500]!r}")
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]!r}")
        return json.loads(text)


class BenchProject:
    """A project in `directory`; the Basecamp that it started ends with the block."""

    def __init__(self, directory: Path, datasets: int = 0) -> None:
        self.root = directory
        self.env = clean_env(directory.parent)
        (directory / "datasets").mkdir(parents=True)
        (directory / "dli.yaml").write_text("version: '1'\n", encoding="utf-8")
        self._write(TRIVIAL, STATEMENTS[2])
        many = "UNNEST(SEQUENCE(1, 100000))"
        self._write(SLOW, _ENDLESS.replace("{many}", many))
        self.many = [f"bench.daily.tally_{number:03}" for number in range(datasets)]
        for name in self.many:
            self._write(name, STATEMENTS[2])

    def _write(self, name: str, insert: str) -> None:
        create, delete, main = (
            json.dumps(text.format(table=name, day="{{ ds }}"))
            for text in (*STATEMENTS[:2], insert)
        )
        text = _DATASET.format(name=name, create=create, delete=delete, insert=main)
        (self.root / "datasets" / f"dataset.{name}.yaml").write_text(text, encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.dli("down").run()

    def dli(self, *words: str) -> Command:
        """Our command in this project."""
        return Command([dli(), *words], self.root, self.env)

    def up(self) -> None:
        self.dli("up").run()

    def seed_workflows(self, count: int) -> None:
        """Put files of workflows into the spec store; `up` takes them over."""
        seed_workflows(self.root / STATE, count)

    def seed_runs(self, count: int) -> None:
        """Add finished runs; Basecamp must be down."""
        seed_runs(self.root / STATE, count)

    def wait_for_workflows(self, count: int) -> None:
        with self.connection() as connection:
            wait_until(
                lambda: connection.get("/workflows?limit=1")["total_count"] == count,
                timeout_s=300,
                pause_s=0.5,
            )

    def publish(self) -> None:
        """Make every dataset a workflow, and run each kind once so that caches are warm."""
        self.dli("workflow", "publish").run()
        self.dli("workflow", "run", TRIVIAL, "--wait").run()

    @property
    def server(self) -> dict[str, Any]:
        """What the running Basecamp tells about itself: `url`, `token`, `pid`."""
        state: dict[str, Any] = json.loads(
            (self.root / STATE / "basecamp.json").read_text(encoding="utf-8")
        )
        return state

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        state = self.server
        connection = Connection(state["url"], state["token"])
        try:
            yield connection
        finally:
            connection.close()

    def processes(self) -> dict[str, int]:
        """Process ids of the server and its worker."""
        server = int(self.server["pid"])
        found = {"server": server}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            if _parent(stat) == server:
                found["worker"] = int(stat.parent.name)
        return found


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def wait_until(condition: Callable[[], bool], timeout_s: float, pause_s: float = 0.005) -> None:
    """Look again and again until `condition` holds.

    Raises:
        TimeoutError: it did not hold in time.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the expected state was not reached in time")
        time.sleep(pause_s)
