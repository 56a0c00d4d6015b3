"""PostgreSQL is killed again and again under a server whose four callers start runs."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from caller import Callers
from campaign import Campaign
from kept import Kept
from postgres import PostgresServer, running
from process import Server, wait_for

DATASETS = [f"local.outage.d{number}" for number in range(4)]


@pytest.fixture
def postgresql() -> Iterator[PostgresServer]:
    """One of its own: killing it is nobody else's business."""
    with running() as server:
        yield server


@pytest.fixture
def store(postgresql: PostgresServer, tmp_path: Path) -> Kept:
    url = postgresql.create_database("outage")
    with psycopg.connect(url, autocommit=True) as connection:  # as it is where no test is
        connection.execute("ALTER DATABASE outage SET synchronous_commit = on")
    return Kept(tmp_path / "project" / ".dli" / "basecamp.db", url)


@pytest.fixture
def server(tmp_path: Path, store: Kept) -> Iterator[Server]:
    project = tmp_path / "project"
    (project / "datasets").mkdir(parents=True)
    (project / "dli.yaml").write_text("project: {name: outage}\n")
    started = Server(project, store.variables)
    started.wait_until_ready()
    for name in DATASETS:
        spec = {"name": name, "owner": "ana", "team": "t", "query_statement": "SELECT 1"}
        answer = started.client().workflow_register(name, "0 0 1 1 *", spec=spec)
        assert answer.success, answer
    yield started
    started.process.kill()
    started.process.wait()


@pytest.mark.alone
@pytest.mark.timeout(600)
def test_t4_a_postgresql_that_is_killed_again_and_again_costs_no_run(
    campaign: Campaign, server: Server, store: Kept, postgresql: PostgresServer
) -> None:
    healed: list[float] = []
    with Callers(server, DATASETS, pause_s=0.05) as callers:
        for _ in range(campaign.size(ci=10, long=200)):
            before = callers.count
            wait_for(lambda before=before: callers.count > before + 4)  # type: ignore[misc]
            threading.Event().wait(campaign.random.uniform(0.0, 0.5))
            postgresql.kill()
            threading.Event().wait(campaign.random.uniform(0.0, 1.0))
            postgresql.start()
            postgresql.wait_until_ready()
            begun = time.monotonic()
            wait_for(lambda begun=begun: newest(callers) > begun)  # type: ignore[misc]
            healed.append(newest(callers) - begun)
            campaign.count("kills of PostgreSQL")
    campaign.count("requests taken", callers.count)
    campaign.count("tries", callers.tries)
    wait_for(lambda: store.rows(UNFINISHED) == [(0,)], within_s=180)
    answered = {taken.run_id for all_ in callers.taken.values() for taken in all_}
    stored = {run_id for (run_id,) in store.rows("SELECT run_id FROM run")}
    campaign.figure("lost", len(answered - stored), limit=0)
    campaign.figure("doubled", len(stored - answered), limit=0)
    campaign.figure("slowest to heal", max(healed), "s", limit=10)
    assert len(answered) == callers.count
    assert {status for status, _ in callers.refusals} <= {503}
    assert {status for (status,) in store.rows("SELECT status FROM run")} == {"COMPLETED"}
    assert server.stop() == 0


UNFINISHED = "SELECT count(*) FROM run WHERE status IN ('PENDING', 'RUNNING')"


def newest(callers: Callers) -> float:
    return max(taken[-1].at for taken in callers.taken.values() if taken)
