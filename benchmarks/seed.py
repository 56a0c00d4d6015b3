"""Many workflows as files in the spec store, and many runs as rows in the state store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from basecamp.store import table
from basecamp.store.database import Database
from basecamp.store.new_run import new_run_id
from basecamp.store.tally import Tally, TallyKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["seed_runs", "seed_workflows"]

_BATCH = 10_000
_KINDS = ("scheduled", "scheduled", "scheduled", "adhoc")
_STATUSES = ("COMPLETED",) * 17 + ("FAILED", "FAILED", "KILLED")
_SPEC = """\
name: {name}
owner: team{team}@example.com
team: team{team}
tags: [seeded]
schedule:
  cron: "{minute} 3 * * *"
  enabled: false
query_statement: SELECT 1
"""


def seed_workflows(state_dir: Path, count: int) -> None:
    """Put the files there; Basecamp takes them up when it starts."""
    folder = state_dir / "store" / "manual"
    folder.mkdir(parents=True)
    for number in range(count):
        name = f"bench.area_{number % 20:02}.dataset_{number:05}"
        text = _SPEC.format(name=name, team=number % 50, minute=number % 60)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def seed_runs(state_dir: Path, count: int) -> None:
    """Add finished runs, spread evenly over all workflows; Basecamp must not run."""
    database = Database.at(state_dir / "basecamp.db")
    try:
        with database.transaction() as tx:
            workflows = list(tx.execute(select(table.workflow)).mappings())
            counts = Tally()
            batch: list[dict[str, Any]] = []
            before = tx.execute(select(func.coalesce(func.max(table.run.c.seq), 0))).scalar_one()
            for number, row in enumerate(_rows(workflows, before, count), 1):
                batch.append(row)
                counts.add(TallyKey(*(row[name] for name in TallyKey._fields)))
                if len(batch) == _BATCH or number == count:
                    tx.execute(insert(table.run), batch)
                    batch.clear()
            counts.write(tx)
    finally:
        database.close()


def _rows(workflows: list[Any], before: int, count: int) -> Iterator[dict[str, Any]]:
    first = datetime.now(UTC) - timedelta(seconds=count)
    for number in range(before, before + count):
        days, index = divmod(number, len(workflows))
        workflow = workflows[index]
        kind = _KINDS[(number + days) % len(_KINDS)]
        started = first + timedelta(seconds=number - before)
        day = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=days)
        yield {
            "run_id": new_run_id(started),
            "dataset_name": workflow["dataset_name"],
            "source_type": workflow["source_type"],
            "status": _STATUSES[(number + days) % len(_STATUSES)],
            "run_type": kind,
            "parameters": {},
            "interval_start": day,
            "interval_end": day + timedelta(days=1),
            "scheduled_for": day if kind == "scheduled" else None,
            "timezone": workflow["timezone"],
            "spec_hash": workflow["spec_hash"],
            "triggered_by": "seed",
            "created_at": started,
            "started_at": started,
            "finished_at": started + timedelta(milliseconds=250),
            "attempt": 1,
            "max_attempts": 1,
            "retry_delay_seconds": 300,
            "timeout_seconds": 3600,
            "claim": 1,
            "crashes": 0,
        }
