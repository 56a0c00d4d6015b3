"""Data classes survive the way to another process."""

import json
from datetime import UTC, datetime

from dli.models.wire import from_wire, to_wire
from dli.warehouse.inventory import ColumnFigures, Size, StoredColumn, StoredTable, Survey

INSTANT = datetime(2026, 3, 1, 12, 30, 0, 5, tzinfo=UTC)


def test_a_table_and_its_survey_come_back_as_they_were() -> None:
    tables = [
        StoredTable("c", "s", "t", (StoredColumn("a", "DATE"),), INSTANT),
        StoredTable("c", "s", "u", ()),
    ]
    assert (
        from_wire(list[StoredTable], json.loads(json.dumps(to_wire(list[StoredTable], tables))))
        == tables
    )
    survey = Survey(
        Size(3, INSTANT), (ColumnFigures(None, 0), ColumnFigures(0.5, 2)), [{"a": None}]
    )
    assert from_wire(Survey, json.loads(json.dumps(to_wire(Survey, survey)))) == survey
