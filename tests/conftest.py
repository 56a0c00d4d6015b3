"""How tests are spread over the workers of a parallel run, and the servers that they share."""

import signal
from collections.abc import Iterator

import pytest

import bucket_server
import postgres

AIRFLOW_LIMIT_S = 900


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        default="embedded",
        choices=["embedded", "airflow"],
        help="what the engine suite runs on",
    )


def pytest_configure() -> None:
    """A shell starts what it runs in the background deaf to Ctrl-C; the tests of it must hear."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """The engine under test."""
    return str(request.config.getoption("--engine"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A file stays together, for its fixtures; what is marked `serial` stays in one worker."""
    for item in items:
        group = "serial" if item.get_closest_marker("serial") else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
        if config.getoption("--engine") == "airflow":
            item.add_marker(pytest.mark.timeout(AIRFLOW_LIMIT_S))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    """One real PostgreSQL for all tests of a worker; a test that needs it fails without it."""
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[bucket_server.BucketServer]:
    """One real S3 server for all tests of a worker; a test that needs it fails without it."""
    with bucket_server.running() as server:
        yield server


@pytest.fixture
def s3_url(s3_server: bucket_server.BucketServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A prefix with nothing below it, and the environment in which it can be opened."""
    for name, value in s3_server.variables.items():
        monkeypatch.setenv(name, value)
    return s3_server.url()
