"""How tests are spread over the workers of a parallel run, and the servers that they share."""

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

import bucket_server
import canary
import identity_provider
import postgres

AIRFLOW_LIMIT_S = 900
ENGINE_SUITE = Path(__file__).parent / "acceptance" / "test_engine.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        action="append",
        choices=["embedded", "airflow", "airflow-services"],
        help="what the engine suite runs on, several times: on each of them",
    )


def pytest_configure() -> None:
    """A shell starts what it runs in the background deaf to Ctrl-C; the tests of it must hear."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(canary.ENVIRONMENT)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test and the processes that share its output print holds no planted secret."""
    report = yield
    printed = "".join(text for _, text in report.sections)
    if secrets := canary.found_in(printed):
        report.outcome = "failed"
        report.longrepr = f"secrets were printed: {sorted(secrets)}"
    return report


@pytest.fixture(scope="session", autouse=True)
def _no_secret_is_written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """At the end of a worker's tests: no file that they left behind holds a planted secret."""
    yield
    hits = [
        f"{path}: {sorted(s)}" for path, s in canary.found_below(tmp_path_factory.getbasetemp())
    ]
    assert hits == []


def engines(config: pytest.Config) -> list[str]:
    return list(config.getoption("--engine") or ["embedded"])


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """The engine under test."""
    (one,) = engines(request.config)
    return one


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The engine suite on each engine; tests of other files have engines of their own."""
    asked = engines(metafunc.config)
    if len(asked) > 1 and metafunc.definition.path == ENGINE_SUITE:
        metafunc.parametrize("engine", asked, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A file stays together, for its fixtures; what is marked `serial` stays in one worker."""
    for item in items:
        group = "serial" if item.get_closest_marker("serial") else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
        if engines(config) != ["embedded"]:
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


@pytest.fixture(scope="session")
def provider() -> Iterator[identity_provider.Provider]:
    """One real identity provider for all tests of a worker; a test that needs it fails without."""
    with identity_provider.running() as found:
        yield found
