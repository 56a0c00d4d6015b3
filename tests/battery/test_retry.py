"""How often what fails is tried again: seldom, at no regular times, and never without end."""

import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from basecamp.engines.airflow.circuit import Circuit
from basecamp.store import schema
from basecamp.store.database import Database
from camp import Camp, HandClock
from campaign import Campaign
from dli.client.response import Request, ServerConfig
from dli.client.transport import HttpTransport
from stub_airflow import Fault, StubAirflow, answering

MINUTE_S = 60
CALLS_A_MINUTE = 6
TRIES = 3


def hang_up(request: BaseHTTPRequestHandler) -> bool:
    """The connection breaks before any answer."""
    request.close_connection = True
    request.connection.shutdown(socket.SHUT_RDWR)
    return True


OUTAGES: dict[str, Fault] = {
    "unavailable": answering(503),
    "broken": answering(500),
    "behind a gateway": answering(502, b"<html>Bad Gateway</html>", Content_Type="text/html"),
    "talks nonsense": answering(200, b"}{"),
    "hangs up": hang_up,
    "refuses the account": answering(401),
    "asks for patience": answering(429, Retry_After="7"),
}


@pytest.fixture
def airflow() -> Iterator[StubAirflow]:
    stub = StubAirflow()
    yield stub
    stub.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def camp(airflow: StubAirflow, clock: HandClock, tmp_path: Path) -> Iterator[Camp]:
    database = Database.at(tmp_path / "basecamp.db")
    schema.prepare(database.engine)
    opened = Camp(database, airflow.url, Circuit(clock), tmp_path)
    yield opened
    opened.engine.stop()
    database.close()


def content(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "owner": "ana@example.com",
        "team": "sales",
        "type": "Dataset",
        "query_type": "DML",
        "query_statement": "SELECT 1",
        "schedule": {"cron": "0 6 * * *", "timezone": "Europe/Madrid"},
    }


@pytest.mark.parametrize("outage", OUTAGES)
def test_t20_of_each_dataset_an_airflow_in_trouble_is_asked_a_few_times_a_minute(
    campaign: Campaign, camp: Camp, airflow: StubAirflow, clock: HandClock, outage: str
) -> None:
    names = [f"shop.sales.t{number}" for number in range(campaign.random.randint(1, 8))]
    for name in names:
        airflow.add_dag(name)
        camp.put(content(name))
    camp.step()
    for name in names:
        for _ in range(campaign.random.randint(1, 4)):
            camp.start(name)
    airflow.fault = OUTAGES[outage]
    calls: list[tuple[float, str]] = []
    minutes = campaign.size(ci=2, long=60)
    for _ in range(minutes * MINUTE_S):
        before = len(airflow.asked)
        clock.advance(timedelta(seconds=1))
        camp.step(seconds=1)
        calls += [(clock.seconds, path.split("/dagRuns")[0]) for path in asked(airflow, before)]
        campaign.count("rounds")
    campaign.count("calls", len(calls))
    campaign.count("datasets", len(names))
    worst = max((most_in_a_minute(calls, dag) for dag in {dag for _, dag in calls}), default=0)
    campaign.figure("most calls for one dataset in 60 s", worst, limit=CALLS_A_MINUTE)
    assert airflow.runs == {}
    airflow.fault = None
    for _ in range(2 * MINUTE_S):
        clock.advance(timedelta(seconds=1))
        camp.step(seconds=1)
    sent = Counter(dag for dag, _ in airflow.runs)
    assert sent == dict.fromkeys(names, 1), "one of each dataset at a time, as soon as it is back"


def asked(airflow: StubAirflow, since: int) -> list[str]:
    """Calls about a dataset of which runs wait, after the `since`-th."""
    return [path for _, path in airflow.asked[since:] if "/dags/shop." in path]


def most_in_a_minute(calls: list[tuple[float, str]], dag: str) -> int:
    times = [at for at, of in calls if of == dag]
    return max(sum(1 for at in times if start <= at < start + MINUTE_S) for start in times)


class Refuser:
    """Listens and hangs up on everybody."""

    def __init__(self) -> None:
        self.count = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            line, _ = self._listener.accept()
            with line:
                if not line.recv(65536):
                    return
                self.count += 1

    def close(self) -> None:
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def refuser() -> Iterator[Refuser]:
    opened = Refuser()
    yield opened
    opened.close()


def test_t20_the_client_tries_three_times_at_most_and_never_in_step(
    campaign: Campaign, refuser: Refuser
) -> None:
    random.seed(campaign.seed)
    config = ServerConfig(f"http://127.0.0.1:{refuser.port}", 30, "token")
    pauses: list[list[float]] = []
    for _ in range(campaign.size(ci=100, long=10_000)):
        before, slept = refuser.count, list[float]()
        transport = HttpTransport(config, sleep=slept.append)
        answer = transport.send(Request("POST", ("workflows", "a", "run"), body={}))
        transport.close()
        assert answer.status_code == 503
        assert refuser.count - before == TRIES
        pauses.append(slept)
        campaign.count("calls")
    assert {len(slept) for slept in pauses} == {TRIES - 1}
    for first, second in pauses:
        assert 0.2 <= first <= 0.4
        assert 0.6 <= second <= 0.8
    assert len({first for first, _ in pauses}) > len(pauses) // 2
