"""How tests are spread over the workers of a parallel run, and the servers that they share."""

from collections.abc import Iterator

import pytest

import postgres


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file stays together, for its fixtures; what is marked `serial` stays in one worker."""
    for item in items:
        group = "serial" if item.get_closest_marker("serial") else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    """One real PostgreSQL for all tests of a worker; a test that needs it fails without it."""
    with postgres.running() as server:
        yield server
