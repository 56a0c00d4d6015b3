"""An Airflow on loopback that a test can break, and the adapter for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from basecamp.clock import SystemClock
from basecamp.engines.airflow.circuit import Circuit
from basecamp.engines.airflow.connection import Access, Connection
from basecamp.engines.airflow.rest import AirflowRest
from basecamp.store.database import Database
from camp import Camp
from stub_airflow import StubAirflow


@pytest.fixture
def airflow() -> Iterator[StubAirflow]:
    stub = StubAirflow()
    yield stub
    stub.close()


@pytest.fixture
def circuit(clock: Any) -> Circuit:
    return Circuit(clock)


@pytest.fixture
def connection(airflow: StubAirflow, circuit: Circuit) -> Iterator[Connection]:
    access = Access(airflow.url, username="basecamp", password="secret")
    opened = Connection(access, circuit, SystemClock())
    yield opened
    opened.close()


@pytest.fixture
def rest(connection: Connection) -> AirflowRest:
    return AirflowRest(connection)


@pytest.fixture
def camp(
    database: Database, airflow: StubAirflow, circuit: Circuit, tmp_path: Path, clock: Any
) -> Iterator[Camp]:
    camp = Camp(database, airflow.url, circuit, tmp_path)
    clock.seconds = 1_000.0
    yield camp
    camp.engine.stop()


@pytest.fixture
def name(camp: Camp, airflow: StubAirflow, content: dict[str, Any]) -> str:
    airflow.add_dag(content["name"])
    return camp.put(content)
