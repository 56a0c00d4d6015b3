"""Services of two servers on one PostgreSQL at once lose nothing and double nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from basecamp.clock import Clock
from basecamp.engines.base import Engine
from basecamp.engines.embedded import dispatch, scheduler
from basecamp.engines.embedded.dispatch import Plan
from basecamp.services import ownership
from basecamp.services.command import Caller, Idempotency
from basecamp.services.permission import local_actor
from basecamp.services.run import RunService
from basecamp.store import run, table, tally, workflow
from basecamp.store.database import Database

THREADS = 8


@pytest.fixture
def servers(
    postgresql_database: Database, content: dict[str, Any], clock: Clock
) -> Iterator[list[Database]]:
    with postgresql_database.transaction() as tx:
        ownership.put_manual(tx, content, clock.now(), stored=True)
    opened = [Database(postgresql_database.url) for _ in range(2)]
    yield opened
    for each in opened:
        each.close()


def at_once(actions: list[Any]) -> list[Any]:
    """What these give when all of them begin at the same moment."""
    ready = Barrier(len(actions))

    def act(action: Any) -> Any:
        ready.wait(30)
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def starter(database: Database, engine: Engine, clock: Clock, key: str) -> Any:
    caller = Caller(
        local_actor("ana"), idempotency=Idempotency(key, "POST", "/run", body_sha256="aa")
    )
    service = RunService(database, engine, clock)
    return lambda: service.start(caller, "shop.sales.daily", parameters={}).body["run_id"]


def count(database: Database) -> int:
    with database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(table.run)).scalar_one())


def test_one_key_makes_one_run(servers: list[Database], engine: Engine, clock: Clock) -> None:
    starts = [starter(servers[n % 2], engine, clock, "same") for n in range(THREADS)]
    assert len(set(at_once(starts))) == 1
    assert count(servers[0]) == 1


def test_each_key_makes_a_run_and_all_are_counted(
    servers: list[Database], engine: Engine, clock: Clock
) -> None:
    starts = [starter(servers[n % 2], engine, clock, f"key-{n}") for n in range(THREADS)]
    assert len(set(at_once(starts))) == THREADS
    with servers[0].read() as tx:
        assert tally.total(tx, []) == THREADS
        assert run.depth(tx) == {"PENDING": THREADS, "RUNNING": 0}


def test_a_tick_fires_once(servers: list[Database]) -> None:
    now = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)

    def tick(database: Database) -> list[str]:
        with database.transaction() as tx:
            return scheduler.tick_all(tx, now)

    fired = at_once([lambda n=n: tick(servers[n % 2]) for n in range(THREADS)])
    assert sum(len(run_ids) for run_ids in fired) == 1
    with servers[0].read() as tx:
        row = workflow.effective(tx, "shop.sales.daily")
    assert row is not None
    assert row.next_fire_at > now


def test_a_run_is_handed_out_once(servers: list[Database], engine: Engine, clock: Clock) -> None:
    starter(servers[0], engine, clock, "one")()

    def hand_out(database: Database) -> int:
        plan = Plan()
        with database.transaction() as tx:
            dispatch.claim(tx, clock.now(), set(), 4, plan)
            plan.counts.write(tx)
        return len(plan.started)

    assert sum(at_once([lambda n=n: hand_out(servers[n % 2]) for n in range(THREADS)])) == 1
    with servers[0].read() as tx:
        assert run.depth(tx) == {"PENDING": 0, "RUNNING": 1}
