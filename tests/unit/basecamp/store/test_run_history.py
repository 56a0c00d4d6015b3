"""The history asks for no more than there is."""

from typing import Any

import pytest
from sqlalchemy import Engine, event

from basecamp.services import ownership
from basecamp.store import run, workflow
from basecamp.store.database import Database
from basecamp.store.new_run import run_values
from basecamp.store.run import RunFilter
from dli.specs.schedule import latest_interval


@pytest.fixture
def _two_runs(database: Database, content: dict[str, Any], clock: Any) -> None:
    now = clock.now()
    with database.transaction() as tx:
        ownership.put_manual(tx, content, now, stored=True)
        source = workflow.effective(tx, content["name"])
        assert source is not None
        day = latest_interval("", "UTC", now)
        values = {"run_type": "adhoc", "now": now, "triggered_by": "ana"}
        run.add(tx, [run_values(source, day, **values) for _ in range(2)])


@pytest.mark.usefixtures("_two_runs")
@pytest.mark.parametrize(
    ("wanted", "offset", "found", "count"),
    [
        (RunFilter(), 0, 2, 2),
        (RunFilter(), 1, 1, 2),
        (RunFilter(run_type="scheduled"), 0, 0, 0),
        (RunFilter(), 2, 0, 2),
    ],
)
def test_runs_are_not_searched_for_what_the_counters_know_is_not_there(
    database: Database, wanted: RunFilter, offset: int, found: int, count: int
) -> None:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        with database.read() as tx:
            rows, total = run.history(tx, wanted, 20, offset)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert (len(rows), total) == (found, count)
    assert any("FROM run" in statement for statement in asked) is bool(found)
