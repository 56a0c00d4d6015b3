"""A Basecamp on either engine, for the one suite that both must pass."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

import bucket_server
import postgres
from basecamp.specstore.file import FileSpecStore
from basecamp.store import table
from basecamp.store.database import Database
from managed_airflow import TestAirflow, running_airflow
from process import Server, wait_for

__all__ = ["ENGINES", "PATIENCE_S", "AirflowServer", "EngineServer", "await_ready", "serving"]

PATIENCE_S = 180.0
"""A real Airflow on a busy machine starts a task when it gets round to it."""


class EngineServer(Server):
    """A server whose schedules a test can make fire.

    Where each run is a process of its own, they do not share the warehouse: of those that need the
    same DuckDB file at once, one works and the others, which have begun, wait for the file.
    """

    shares_warehouse = False

    def make_due(self, name: str) -> None:
        """Let a schedule of every minute fire soon."""

    def make_quality_due(self, name: str) -> bool:
        """Let the schedule of a quality spec fire when it is looked at; false until it is known."""
        url = self.variables.get("BASECAMP_DATABASE_URL")
        store = Database(url) if url else Database.at(self.state / "basecamp.db")
        known = table.quality_schedule
        past = datetime(2026, 1, 1, tzinfo=UTC)
        try:
            with store.transaction() as tx:
                change = update(known).where(known.c.name == name).values(next_fire_at=past)
                return bool(tx.execute(change).rowcount)
        finally:
            store.close()


class EmbeddedServer(EngineServer):
    """Runs on this machine; its store says when a schedule fires."""

    shares_warehouse = True

    def make_due(self, name: str) -> None:
        due = datetime.now(UTC).replace(second=0, microsecond=0).isoformat(timespec="microseconds")
        with sqlite3.connect(self.project / ".dli" / "basecamp.db") as store:
            store.execute(
                "UPDATE workflow SET next_fire_at = ? WHERE dataset_name = ?", [due, name]
            )


@contextmanager
def _embedded(project: Path) -> Iterator[EngineServer]:
    yield EmbeddedServer(project)


class AirflowServer(EngineServer):
    """Runs on an Airflow of its own beside the project. There a minute is waited for."""

    def __init__(self, project: Path, airflow: TestAirflow, **variables: str) -> None:
        keys = airflow.home.credentials
        self.airflow = airflow
        super().__init__(
            project,
            {
                "BASECAMP_ENGINE": "airflow",
                "BASECAMP_AIRFLOW_URL": airflow.home.url,
                "BASECAMP_AIRFLOW_USERNAME": keys.username,
                "BASECAMP_AIRFLOW_PASSWORD": keys.password,
                **variables,
            },
        )


@contextmanager
def on_airflow(project: Path) -> Iterator[AirflowServer]:
    store = project / ".dli" / "store"
    FileSpecStore(store).prepare()
    with running_airflow(project.parent / "airflow", project, store.as_uri()) as airflow:
        yield AirflowServer(project, airflow)


@contextmanager
def on_airflow_and_services(project: Path) -> Iterator[AirflowServer]:
    """As a team has it: specs in a bucket, both states in PostgreSQL."""
    with ExitStack() as held:
        database = held.enter_context(postgres.running())
        bucket = held.enter_context(bucket_server.running())
        patch = held.enter_context(pytest.MonkeyPatch.context())
        for name, value in bucket.variables.items():
            patch.setenv(name, value)  # for Basecamp and for Airflow
        metadata = database.create_database("airflow").replace("://", "+psycopg2://")
        url = bucket.url()
        folder = project.parent / "airflow"
        airflow = held.enter_context(running_airflow(folder, project, url, database_url=metadata))
        assert not (folder / "airflow.db").exists()
        yield AirflowServer(
            project,
            airflow,
            BASECAMP_DATABASE_URL=database.create_database("basecamp"),
            BASECAMP_SPEC_STORE_URL=url,
        )


ENGINES: dict[str, Callable[[Path], AbstractContextManager[EngineServer]]] = {
    "embedded": _embedded,
    "airflow": on_airflow,
    "airflow-services": on_airflow_and_services,
}


@contextmanager
def serving(engine: str, project: Path) -> Iterator[EngineServer]:
    """A ready server on this engine; it must end well."""
    with ENGINES[engine](project) as server:
        await_ready(server)
        yield server
        assert server.stop() == 0


def await_ready(server: Server) -> None:
    """Basecamp and its engine can work."""
    client = server.client()
    wait_for(lambda: client.health_check().success, PATIENCE_S)
