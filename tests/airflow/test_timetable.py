"""Among Airflow's own packages the timetable gives the fires of the embedded engine."""

import json
import subprocess
from datetime import UTC, datetime
from itertools import islice, product
from pathlib import Path

from basecamp.engines.airflow.environment import AirflowEnvironment
from dli.specs.run_id import scheduled_run_id
from dli.specs.schedule import fires_between, interval_of
from managed_airflow import ENVIRONMENT

PROBE = Path(__file__).parents[1] / "support" / "timetable_probe.py"
CRONS = ("30 2 * * *", "0 0 * * *", "15 * * * *", "*/20 1-3 * * *", "0 6 * * 1-5")
CHANGES = (
    ("America/New_York", datetime(2025, 3, 8, tzinfo=UTC)),
    ("America/New_York", datetime(2025, 11, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2025, 3, 29, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2025, 10, 25, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2025, 4, 5, tzinfo=UTC)),
    ("America/Santiago", datetime(2025, 9, 6, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2025, 4, 24, tzinfo=UTC)),
    ("Asia/Seoul", datetime(2025, 6, 1, tzinfo=UTC)),
)
COUNT = 40
END = datetime(2026, 6, 1, tzinfo=UTC)


def embedded(cron: str, timezone: str, since: datetime) -> list[list[str]]:
    fires = islice(fires_between(cron, timezone, since, END, COUNT), COUNT)
    intervals = [interval_of(cron, timezone, fire) for fire in fires]
    return [
        [
            interval.start.isoformat(),
            interval.end.isoformat(),
            interval.end.isoformat(),
            scheduled_run_id("lake.mart.orders", interval.start),
        ]
        for interval in intervals
    ]


def test_both_engines_fire_at_the_same_instants_also_when_clocks_change() -> None:
    cases = [(cron, *change) for cron, change in product(CRONS, CHANGES)]
    AirflowEnvironment(ENVIRONMENT).install(print)
    asked = [
        {"cron": cron, "timezone": timezone, "since": since.isoformat(), "count": COUNT}
        for cron, timezone, since in cases
    ]
    done = subprocess.run(
        [str(AirflowEnvironment(ENVIRONMENT).python), str(PROBE)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = [embedded(*case) for case in cases]
    assert all(len(runs) == COUNT for runs in expected)
    assert json.loads(done.stdout) == expected
