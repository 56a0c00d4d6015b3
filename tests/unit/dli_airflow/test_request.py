"""What a run was asked to do, read from the values its Airflow run carries."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dli.exceptions import DLIValidationError, ErrorCode
from dli.specs.schedule import Interval
from dli_airflow.request import Request

NOW = datetime(2025, 6, 10, 12, tzinfo=UTC)
ASKED = Interval(datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 6, 2, tzinfo=UTC))
PLANNED = Interval(datetime(2025, 6, 3, tzinfo=UTC), datetime(2025, 6, 4, tzinfo=UTC))
FULL = {
    "interval_start": "2025-06-01T00:00:00Z",
    "interval_end": "2025-06-02T09:00:00+09:00",
    "parameters": {"execution_date": "2025-05-05"},
    "spec_hash": "abc",
    "run_type": "adhoc",
    "request_id": "asked-1",
}


def covered(conf: dict[str, Any], planned: Interval | None = None) -> Interval:
    return Request.from_conf(conf).resolved("0 0 * * *", "UTC", planned, NOW)


def test_the_interval_asked_for_wins() -> None:
    assert covered(FULL, PLANNED) == ASKED
    assert Request.from_conf(FULL).spec_hash == "abc"
    assert Request.from_conf(FULL).request_id == "asked-1"
    assert Request.from_conf(FULL).parameters == {"execution_date": "2025-05-05"}


def test_a_date_among_the_parameters_comes_before_the_schedule() -> None:
    found = covered({"parameters": {"ds": "2025-05-05"}}, PLANNED)
    assert (found.start.day, found.start.month, found.end.day) == (5, 5, 6)


def test_a_scheduled_run_covers_what_was_planned() -> None:
    assert covered({}, PLANNED) == PLANNED


def test_a_run_without_any_word_covers_the_latest_complete_interval() -> None:
    assert covered({}).end == datetime(2025, 6, 10, tzinfo=UTC)
    assert covered({"parameters": None}).end == datetime(2025, 6, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "conf",
    [
        {"parameters": ["a"]},
        {"parameters": {"ds": "yesterday"}},
        {"interval_start": "2025-06-01T00:00:00Z"},
        {"interval_end": "2025-06-01T00:00:00Z"},
        FULL | {"interval_start": "2025-06-01T00:00:00"},
        FULL | {"interval_start": 7},
        FULL | {"interval_end": FULL["interval_start"]},
        FULL | {"interval_end": "soon"},
    ],
)
def test_what_cannot_be_understood_is_refused(conf: dict[str, Any]) -> None:
    with pytest.raises(DLIValidationError) as caught:
        covered(conf)
    assert caught.value.code is ErrorCode.PARAMETER_INVALID
