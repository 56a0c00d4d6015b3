"""A server whose engine is an Airflow tells how that one is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from basecamp.app import Basecamp
from basecamp.settings import Settings
from process import wait_for
from stub_airflow import StubAirflow, answering


@pytest.fixture
def airflow() -> Iterator[StubAirflow]:
    stub = StubAirflow()
    yield stub
    stub.close()


@pytest.fixture
def basecamp(airflow: StubAirflow, tmp_path: Path) -> Iterator[Basecamp]:
    (tmp_path / "dli.yaml").write_text("{}\n")
    settings = Settings(
        project=tmp_path,
        state_dir=tmp_path / ".dli",
        engine="airflow",
        airflow_url=airflow.url,
        airflow_username="basecamp",
        airflow_password="secret",
    )
    with Basecamp(settings) as opened:
        opened.start()
        yield opened


def engine_state(basecamp: Basecamp) -> str:
    return basecamp.site.health.look().parts["engine"]


def test_readiness_follows_airflow(basecamp: Basecamp, airflow: StubAirflow) -> None:
    wait_for(lambda: basecamp.site.health.look().is_ok)
    airflow.fault = answering(503)
    wait_for(lambda: engine_state(basecamp) == "engine_failing")
    assert not basecamp.site.health.look().is_ok
    figures = basecamp.site.metrics.exposition().decode()
    assert 'basecamp_engine_errors_total{code="engine_failing"}' in figures
    airflow.fault = None
    wait_for(lambda: basecamp.site.health.look().is_ok)


def test_a_wrong_account_is_told_and_not_tried_over_and_over(
    basecamp: Basecamp, airflow: StubAirflow
) -> None:
    wait_for(lambda: basecamp.site.health.look().is_ok)
    airflow.fault = answering(401)
    wait_for(lambda: engine_state(basecamp) == "engine_auth")
    asked = len(airflow.asked)
    basecamp.engine.wake()
    basecamp.engine.wake()
    assert engine_state(basecamp) == "engine_auth"
    assert len(airflow.asked) == asked


def test_secrets_of_the_account_are_in_no_log(
    basecamp: Basecamp, airflow: StubAirflow, caplog: pytest.LogCaptureFixture
) -> None:
    airflow.fault = answering(401, b"secret token-1")
    wait_for(lambda: engine_state(basecamp) == "engine_auth")
    assert "token-1" not in caplog.text
    assert "secret" not in caplog.text
