"""A Basecamp on a loopback port, with an engine that a test controls, and requests to it."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from basecamp.app import Basecamp
from basecamp.engines.base import CheckResult, Listener, LogLine, RunSpec
from basecamp.provider.settings import Workload
from basecamp.rate import NO_LIMIT
from basecamp.serve import Announcement, Server, listen
from basecamp.settings import Settings
from basecamp.store import run
from basecamp.store.run import Outcome, RunRow
from basecamp.store.tally import Tally
from identity_provider import JOB, Provider

DEADLINE_S = 10.0
_UNLIMITED = {"read_rate": NO_LIMIT, "change_rate": NO_LIMIT, "run_rate": NO_LIMIT}
"""A test asks as fast as it can, unless it is about rates."""


@dataclass
class QuietEngine:
    """An engine that runs nothing; a test plays its part with `begin` and `end`."""

    can_hold: ClassVar = False

    answer: CheckResult = field(
        default_factory=lambda: CheckResult(ok=True, statements=["SELECT 1"])
    )
    asked: Callable[[str, dict[str, Any], Future[None] | None], dict[str, Any]] = field(
        default=lambda *_: {}
    )
    lines: list[LogLine] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=lambda: {"ok": True, "tick_age_s": 0.5})

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def wake(self) -> None: ...

    def admit(self, dataset_name: str) -> None: ...

    def prepare_stop(self) -> None: ...

    def put_in_force(self, dataset_names: Iterable[str]) -> str | None:
        return None

    def holds(self) -> Mapping[str, str]:
        return {}

    def log(self, run: RunRow, *, after: int, limit: int) -> list[LogLine]:
        return self.lines[after:][:limit]

    def interrupt(self, run_ids: Iterable[str]) -> None: ...

    def check(self, spec: RunSpec, *, bind: bool) -> CheckResult:
        return self.answer

    def ask(
        self,
        subject: str,
        arguments: Mapping[str, Any],
        *,
        timeout_s: float,
        writes: str | None = None,
        withdrawn: Future[None] | None = None,
    ) -> dict[str, Any]:
        return self.asked(subject, dict(arguments), withdrawn)

    def subscribe(self, listener: Listener) -> None:
        self.listeners.append(listener)

    def health(self) -> dict[str, Any]:
        return self.state

    def tell(self, run_id: str) -> None:
        for listener in self.listeners:
            listener([run_id])


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


def wait_until(condition: Any) -> None:
    """Look until it holds; a test fails when it does not come true in time."""
    pause = threading.Event()
    for _ in range(int(DEADLINE_S / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("not in time")


def spec(name: str = "shop.sales.daily", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "owner": "ana@example.com",
        "team": "sales",
        "query_statement": "SELECT 1",
        **more,
    }


class Site:
    """A server in this process on a free port, and a client for it."""

    spec = staticmethod(spec)
    wait_until = staticmethod(wait_until)

    def __init__(self, root: Path, *, runs_sql: bool = False, **settings: Any) -> None:
        self.engine = QuietEngine()
        self.settings = Settings(project=root, state_dir=root / "state", **(_UNLIMITED | settings))
        self.basecamp = Basecamp(self.settings, engine=None if runs_sql else self.engine)
        self.listener = listen("127.0.0.1", 0)
        self.port: int = self.listener.getsockname()[1]
        announcement = Announcement(
            self.settings.state_dir / "basecamp.json",
            f"http://127.0.0.1:{self.port}",
            self.basecamp.token,
        )
        self._server = Server(self.basecamp, announcement)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self.listener]}
        )

    def start(self) -> None:
        self._thread.start()
        wait_until(lambda: self.get("/readyz").status == 200)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(DEADLINE_S)
        self.basecamp.stop()
        self.listener.close()

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        token: str | None = "",
    ) -> Answer:
        """Send one request; `token` is ours unless another one, or `None`, is given."""
        sent = dict(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token or self.basecamp.token}")
        data = body if isinstance(body, bytes) else None
        if body is not None and data is None:
            data = json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            text = answer.read().decode()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, text)
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Answer:
        return self.request("GET", path, **more)

    def post(self, path: str, body: object = None, **more: Any) -> Answer:
        return self.request("POST", path, body, **more)

    def raw(self, data: bytes) -> bytes:
        """The first bytes that come back for these."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S) as line:
            line.sendall(data)
            return line.recv(65536)

    def register(self, name: str = "shop.sales.daily", **more: Any) -> Answer:
        body = {"dataset_name": name, "cron": "0 6 * * *", "spec": spec(name), **more}
        return self.post("/api/v1/workflows/register", body)

    def publish(self, *names: str, **more: Any) -> Answer:
        body = {"specs": [spec(name) for name in names], **more}
        return self.post("/api/v1/workflows/publish", body)

    def start_run(self, name: str = "shop.sales.daily") -> str:
        return str(self.post(f"/api/v1/workflows/{name}/run", {}).body["run_id"])

    def end_run(self, run_id: str, status: str = "COMPLETED") -> None:
        """What an engine does when a run ends."""
        with self.basecamp.database.transaction() as tx:
            counts = Tally()
            row = run.find(tx, run_id)
            assert row is not None
            run.claim(tx, row, datetime.now(UTC), attempt=1, counts=counts)
            row = run.find(tx, run_id)
            assert row is not None
            run.finish(tx, row, Outcome(status), datetime.now(UTC), counts)
            counts.write(tx)
        self.engine.tell(run_id)


@pytest.fixture
def site_type() -> type[Site]:
    """For servers with settings of their own."""
    return Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    server = Site(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def federated(tmp_path: Path, provider: Provider) -> Iterator[Site]:
    """A server whose people log in at `provider`, and which lets one CI job publish."""
    people = Settings.from_env(provider.settings(), project=tmp_path).people
    workload = Workload("ci", provider.issuer, "basecamp-ci", JOB)
    server = Site(tmp_path, people=people, workloads=(workload,))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for tests that change nothing; `a.code` and `b.manual` are there."""
    server = Site(tmp_path_factory.mktemp("site"))
    server.start()
    assert server.publish("a.code").status == 200
    assert server.register("b.manual").status == 201
    yield server
    server.stop()


@pytest.fixture(scope="module")
def module_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for the tests of a module, with nothing in it."""
    server = Site(tmp_path_factory.mktemp("module"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def working_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with a warehouse; the files of its project are those of the test."""
    root = tmp_path_factory.mktemp("working")
    (root / "dli.yaml").write_text("{}\n")
    server = Site(root, runs_sql=True)
    server.start()
    yield server
    server.stop()
