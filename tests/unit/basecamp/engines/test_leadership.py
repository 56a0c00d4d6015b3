"""One server leads at a time; what a server writes that only believes to lead is refused."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from basecamp.engines.leadership import ElectedLeadership, NotLeaderError, SoleLeadership
from basecamp.store import leader
from basecamp.store.database import Database
from process import wait_for

LEASE_S = 2.0


@pytest.fixture
def other_database(postgresql_database: Database) -> Iterator[Database]:
    opened = Database(postgresql_database.url)
    yield opened
    opened.close()


@pytest.fixture
def first(postgresql_database: Database) -> Iterator[ElectedLeadership]:
    office = ElectedLeadership(postgresql_database, lease_s=LEASE_S)
    office.start()
    yield office
    office.stop()


def depose(database: Database) -> None:
    """What a lease that has run out looks like."""
    with database.transaction() as tx:
        tx.execute(text("UPDATE leader SET until = clock_timestamp() - interval '1 s'"))


def test_the_only_server_on_sqlite_leads(sqlite_database: Database) -> None:
    office = SoleLeadership(sqlite_database)
    assert office.term is not None
    with office.transaction() as tx:
        assert tx.execute(text("SELECT count(*) FROM leader")).scalar() == 0


def test_the_second_server_waits_and_may_not_write(
    first: ElectedLeadership, other_database: Database
) -> None:
    second = ElectedLeadership(other_database, lease_s=LEASE_S)
    second.start()
    assert first.term == 1
    assert second.term is None
    with pytest.raises(NotLeaderError), second.transaction():
        pytest.fail("a server that does not lead wrote")
    second.stop()


def test_the_second_server_leads_when_the_first_one_goes(
    first: ElectedLeadership, other_database: Database
) -> None:
    second = ElectedLeadership(other_database, lease_s=LEASE_S)
    seen: list[int | None] = []
    second.subscribe(lambda: seen.append(second.term))
    second.start()
    first.stop()
    wait_for(lambda: second.term == 2)
    assert seen == [2]
    second.stop()


def test_a_leader_whose_lease_ran_out_unnoticed_stores_nothing_more(
    postgresql_database: Database, other_database: Database
) -> None:
    zombie = ElectedLeadership(postgresql_database)
    zombie._campaign()
    assert zombie.term == 1
    depose(other_database)
    successor = ElectedLeadership(other_database)
    successor._campaign()
    assert successor.term == 2
    with pytest.raises(NotLeaderError), zombie.transaction() as tx:
        tx.execute(text("DELETE FROM leader"))
    assert zombie.term is None
    with successor.transaction() as tx:
        assert leader.is_in_office(tx, other_database.name, 2)


def test_a_lease_that_nobody_else_wanted_goes_on(
    first: ElectedLeadership, other_database: Database
) -> None:
    depose(other_database)
    first._campaign()
    assert first.term == 1


def test_a_transaction_of_the_leader_keeps_successors_waiting(
    postgresql_database: Database, other_database: Database
) -> None:
    old = ElectedLeadership(postgresql_database)
    old._campaign()
    depose(other_database)
    with old.transaction() as tx, other_database.engine.connect() as rival:
        has_turn = rival.execute(text("SELECT pg_try_advisory_xact_lock(0x62617365)")).scalar()
        assert not has_turn
        tx.execute(text("SELECT 1"))
