"""The chain of audit rows, on both databases."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from basecamp.store import audit, table
from basecamp.store.database import Database

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
GOLDEN = "e4866d6d0e17ca9756f284350e5b7ccd39757c4bc0588ea1313b254dd62238bd"


def add(database: Database, reason: str | None = None, action: str = "run.start") -> None:
    with database.transaction() as tx:
        audit.record(
            tx,
            at=NOON,
            actor="ana",
            action=action,
            resource="shop.sales.daily",
            reason=reason,
            detail={"days": [1, None], "é": True},
        )


def test_an_empty_trail_is_whole(database: Database) -> None:
    with database.read() as tx:
        assert audit.walk(tx) == audit.Chain(0, audit.START)
        assert audit.has_head(tx, audit.START)


@pytest.mark.parametrize("reason", [None, "late", "a\0b", r"\u0000", "é\u2028", "\U0001f600"])
def test_every_text_is_chained_as_it_is_stored(database: Database, reason: str | None) -> None:
    add(database, reason)
    add(database)
    with database.read() as tx:
        chain = audit.walk(tx)
        assert (chain.rows, chain.broken_id) == (2, None)
        assert audit.has_head(tx, chain.head)


def test_rows_of_one_transaction_follow_each_other(database: Database) -> None:
    with database.transaction() as tx:
        for number in range(3):
            audit.record(tx, at=NOON, actor="ana", action="a", resource=str(number))
    with database.read() as tx:
        assert audit.walk(tx).rows == 3


def test_more_rows_than_one_batch_are_walked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_BATCH", 2)
    for _ in range(5):
        add(database)
    with database.transaction() as tx:
        tx.execute(text("UPDATE audit SET actor = 'eve' WHERE id = 5"))
    with database.read() as tx:
        chain = audit.walk(tx)
        assert (chain.rows, chain.broken_id) == (4, 5)


def test_the_hash_of_a_row_is_for_ever() -> None:
    row = {
        "at": NOON,
        "actor": "ana",
        "action": "run.start",
        "resource": "shop.sales.daily",
        "request_id": None,
        "reason": "late",
        "detail": {"b": 1, "a": "é"},
    }
    assert set(row) < {column.name for column in table.audit.columns}
    assert audit.chained(audit.START, row) == GOLDEN
