from datetime import datetime
from typing import Any, NamedTuple, Self

class DataInterval(NamedTuple):
    start: datetime
    end: datetime

class TimeRestriction(NamedTuple):
    earliest: datetime | None
    latest: datetime | None
    catchup: bool

class DagRunInfo(NamedTuple):
    run_after: datetime
    data_interval: DataInterval | None
    @classmethod
    def interval(cls, start: datetime, end: datetime) -> Self: ...

class Timetable:
    description: str
    can_be_scheduled: bool
    periodic: bool
    @property
    def summary(self) -> str: ...
    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable: ...
    def serialize(self) -> dict[str, Any]: ...
    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval: ...
    def next_dagrun_info(
        self,
        *,
        last_automated_data_interval: DataInterval | None,
        restriction: TimeRestriction,
    ) -> DagRunInfo | None: ...
    def generate_run_id(
        self,
        *,
        run_type: Any,
        run_after: datetime,
        data_interval: DataInterval | None,
        **extra: Any,
    ) -> str: ...
