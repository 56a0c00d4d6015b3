"""Whatever comes in, an instant is aware and in UTC."""

from datetime import UTC, datetime, timedelta, timezone

from dli.models.instant import as_utc, seconds_between, utc_now
from dli.models.workflow import WorkflowInfo

NAIVE = datetime(2025, 1, 1, 9)  # noqa: DTZ001 (that is the point)
SEOUL = datetime(2025, 1, 1, 18, tzinfo=timezone(timedelta(hours=9)))
UTC_9 = datetime(2025, 1, 1, 9, tzinfo=UTC)


def test_naive_counts_as_utc_and_other_zones_are_converted() -> None:
    for value in (NAIVE, SEOUL, UTC_9):
        assert as_utc(value) == UTC_9
        assert as_utc(value).tzinfo is UTC


def test_models_hold_instants() -> None:
    for value in (NAIVE, SEOUL, "2025-01-01T18:00:00+09:00"):
        info = WorkflowInfo.model_validate(
            {
                "dataset_name": "d",
                "source_type": "manual",
                "status": "active",
                "cron": "",
                "next_run": value,
            }
        )
        assert info.next_run == UTC_9
        assert info.model_dump(mode="json")["next_run"] == "2025-01-01T09:00:00Z"


def test_now_is_aware_and_differences_ignore_the_zone() -> None:
    assert utc_now().tzinfo is UTC
    assert seconds_between(NAIVE, SEOUL + timedelta(seconds=5)) == 5
