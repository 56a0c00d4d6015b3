"""What servers of earlier schemas stored is opened with nothing lost and no run's key changed."""

from datetime import datetime
from pathlib import Path

import pytest

from basecamp.store import audit, run, schema, table
from basecamp.store.database import Database
from released import RELEASES, Rows, fill, rows


def _stored(database: Database) -> Rows:
    with database.read() as tx:
        return rows(tx)


@pytest.mark.parametrize("release", RELEASES)
def test_g9_every_row_of_every_release_is_kept(
    unprepared: Database, release: str, tmp_path: Path
) -> None:
    fill(unprepared, release, tmp_path)
    before = _stored(unprepared)
    assert before.pop("alembic_version") == [{"version_num": release}]
    schema.prepare(unprepared.engine)
    after = _stored(unprepared)
    assert after["alembic_version"] == [{"version_num": table.HEAD}]
    for name, old in before.items():
        kept = [{key: row[key] for key in old[0]} for row in after[name] if old]
        assert kept == old, name
    with unprepared.read() as tx:
        assert audit.walk(tx).rows == len(before["audit"])
    unprepared.close()


@pytest.mark.parametrize("release", RELEASES)
def test_g9_a_tick_that_an_earlier_release_ran_is_not_run_again(
    unprepared: Database, release: str, tmp_path: Path
) -> None:
    fill(unprepared, release, tmp_path)
    schema.prepare(unprepared.engine)
    with unprepared.transaction() as tx:
        ticks = run.history(tx, run.RunFilter(run_type="scheduled"), 50, 0)[0]
        for tick in ticks:
            again = dict(tick._mapping) | {"run_id": "again", "status": "PENDING"}
            del again["seq"]
            assert not run.add_scheduled(tx, again)
    assert len(ticks) == 4
    unprepared.close()


def test_g9_the_keys_of_runs_are_stored_in_the_same_bytes(tmp_path: Path) -> None:
    """What SQLite holds for an instant and for the key of a request, byte by byte."""
    store = Database.at(tmp_path / "basecamp.db")
    fill(store, "0001", tmp_path)
    schema.prepare(store.engine)
    stored = _stored(store)
    assert [row["scheduled_for"] for row in stored["run"] if row["scheduled_for"]] == [
        "2026-11-01T15:00:00.000000+00:00",
        "2026-11-08T15:00:00.000000+00:00",
        "2026-11-15T15:00:00.000000+00:00",
        "2026-11-22T03:00:00.000000+00:00",
    ]
    asked = table.run.c.scheduled_for.type.dialect_impl(store.engine.dialect)
    written = asked.bind_processor(store.engine.dialect)
    assert written is not None
    for row in stored["run"]:
        if row["scheduled_for"]:
            assert written(datetime.fromisoformat(row["scheduled_for"])) == row["scheduled_for"]
    store.close()
