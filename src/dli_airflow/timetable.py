"""Airflow's timetable of a dataset: it fires when the embedded engine would."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.timetables.base import DagRunInfo, DataInterval, Timetable

from dli.specs.run_id import scheduled_run_id
from dli_airflow.instant import plain, plain_interval
from dli_airflow.plan import Plan

if TYPE_CHECKING:
    from airflow.timetables.base import TimeRestriction

    from dli.specs.schedule import Interval

__all__ = ["DatasetTimetable"]


class DatasetTimetable(Timetable):
    """The data interval of a run lies between two fires; the run starts at its end."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.can_be_scheduled = self.periodic = plan.fires
        self.description = f"{plan.cron} in {plan.timezone}" if plan.cron else "on demand"
        if plan.cron and plan.is_paused:
            self.description += ", paused"

    @property
    def summary(self) -> str:
        return self.description

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:
        return cls(Plan.from_json(data))

    def serialize(self) -> dict[str, Any]:
        return self._plan.to_json()

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        return _data_interval(self._plan.latest_interval(plain(run_after)))

    def next_dagrun_info(
        self,
        *,
        last_automated_data_interval: DataInterval | None,
        restriction: TimeRestriction,
    ) -> DagRunInfo | None:
        """The next run; `restriction.earliest` is set in backfills only, our DAGs have no start.

        Airflow wants a start of each DAG that catches up, so the plan knows about that instead.
        """
        last = last_automated_data_interval and plain_interval(*last_automated_data_interval)
        if restriction.earliest is None:
            found = self._plan.next_interval(last, datetime.now(UTC))
        else:
            found = self._plan.interval_from(plain(restriction.earliest), last)
        if found is None or (restriction.latest is not None and found.start > restriction.latest):
            return None
        return DagRunInfo.interval(*_data_interval(found))

    def generate_run_id(
        self,
        *,
        run_type: Any,
        run_after: datetime,
        data_interval: DataInterval | None,
        **extra: Any,  # noqa: ARG002 - Airflow adds what partitioned timetables need
    ) -> str:
        """An id with the dataset's name in it, for Basecamp keeps the runs of all in one place."""
        kind = str(run_type.value)
        if kind == "scheduled" and data_interval is not None:
            return scheduled_run_id(self._plan.dataset_name, data_interval.start)
        return f"{kind}__{self._plan.dataset_name}__{run_after:%Y%m%dT%H%M%S.%fZ}"


def _data_interval(interval: Interval) -> DataInterval:
    return DataInterval(pendulum.instance(interval.start), pendulum.instance(interval.end))
