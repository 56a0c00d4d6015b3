"""Up to when runs have been read is remembered, and never trusted blindly."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from basecamp.engines.airflow.watermark import FIRST_LOOK_BACK, Watermark

NOW = datetime.now(UTC)
MINUTE = timedelta(minutes=1)


def test_a_restart_goes_on_where_reading_had_come_to(tmp_path: Path) -> None:
    path = tmp_path / "airflow.json"
    Watermark(path).move(NOW - MINUTE)
    assert Watermark(path).since(NOW, MINUTE) == NOW - 2 * MINUTE


def test_it_never_moves_back(tmp_path: Path) -> None:
    mark = Watermark(tmp_path / "airflow.json")
    mark.move(NOW)
    mark.move(NOW - MINUTE)
    mark.move(None)
    assert mark.since(NOW, timedelta()) == NOW


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"read_until": 7}',
        '{"read_until": "2026-01-01T00:00:00"}',
        json.dumps({"read_until": (NOW + timedelta(days=2)).isoformat()}),
    ],
    ids=["empty", "list", "number", "no zone", "in the future"],
)
def test_a_mark_that_makes_no_sense_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "airflow.json"
    path.write_text(text)
    assert Watermark(path).since(NOW, MINUTE) == NOW - FIRST_LOOK_BACK
