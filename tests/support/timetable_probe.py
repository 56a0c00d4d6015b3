"""Runs among Airflow's packages: asks the timetable for run after run, as the scheduler does."""

import json
import sys
from datetime import datetime
from typing import Any

from airflow.timetables.base import DagRunInfo, TimeRestriction

from dli_airflow.plan import Plan
from dli_airflow.timetable import DatasetTimetable


class ScheduledType:
    value = "scheduled"


def runs(case: dict[str, Any]) -> list[list[str]]:
    """Start, end, due time and id of each run, from a timetable that went through storage."""
    since = datetime.fromisoformat(case["since"])
    plan = Plan("lake.mart.orders", case["cron"], case["timezone"], since, catchup=True)
    timetable = DatasetTimetable.deserialize(
        json.loads(json.dumps(DatasetTimetable(plan).serialize()))
    )
    found: list[list[str]] = []
    last: DagRunInfo | None = None
    for _ in range(case["count"]):
        info = timetable.next_dagrun_info(
            last_automated_data_interval=None if last is None else last.data_interval,
            restriction=TimeRestriction(None, None, catchup=False),
        )
        assert info is not None
        assert info.data_interval is not None
        run_id = timetable.generate_run_id(
            run_type=ScheduledType, run_after=info.run_after, data_interval=info.data_interval
        )
        instants = (*info.data_interval, info.run_after)
        found.append([*(instant.isoformat() for instant in instants), run_id])
        last = info
    return found


if __name__ == "__main__":
    json.dump([runs(case) for case in json.load(sys.stdin)], sys.stdout)
