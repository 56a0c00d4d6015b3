"""Decides, inside a transaction, which queued runs Airflow is given next, and keeps the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from basecamp.store import origin, run, workflow
from basecamp.store.run import Outcome
from dli.exceptions import ErrorCode

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from basecamp.engines.airflow.change import ChangeSet
    from basecamp.store.run import RunRow


@dataclass(frozen=True)
class Parcel:
    """A queued run, ready to be sent. `spec_hash` is that of the workflow now in force."""

    run_id: str
    dataset_name: str
    spec_hash: str
    conf: dict[str, Any]


def pack(tx: Connection, limit: int) -> list[Parcel]:
    """The oldest queued run of each dataset of which Airflow has none."""
    busy = {row.dataset_name for row in run.handed_over(tx)}
    return [_parcel(tx, row) for row in run.queue_heads(tx, busy, limit)]


def deliver(tx: Connection, parcel: Parcel, changes: ChangeSet) -> bool:
    """Airflow has the run. False when it was ended here meanwhile: then it must not go on there."""
    row = run.find(tx, parcel.run_id)
    if row is None or row.status != "PENDING":
        return False
    run.change(tx, row, {"claim": row.claim + 1, "error_message": None})
    changes.note(row)
    return True


def hold(tx: Connection, parcel: Parcel, why: str, changes: ChangeSet) -> None:
    """The run waits; `why` is shown with it."""
    row = run.find(tx, parcel.run_id)
    if row is not None and row.status == "PENDING" and row.error_message != why:
        run.change(tx, row, {"error_message": why})
        changes.note(row)


def refuse(tx: Connection, parcel: Parcel, why: str, now: datetime, changes: ChangeSet) -> None:
    """Airflow will never take the run."""
    row = run.find(tx, parcel.run_id)
    if row is not None and row.status == "PENDING":
        end = Outcome("FAILED", ErrorCode.EXECUTION_FAILED.value, why)
        run.finish(tx, row, end, now, changes.counts)
        changes.note(row)


def _parcel(tx: Connection, row: RunRow) -> Parcel:
    source = workflow.effective(tx, row.dataset_name)
    spec_hash = row.spec_hash if source is None else source.spec_hash
    came_from = origin.find(tx, row.run_id)._asdict()
    conf = _conf(row) | {name: value for name, value in came_from.items() if value is not None}
    return Parcel(row.run_id, row.dataset_name, spec_hash, conf)


def _conf(row: RunRow) -> dict[str, Any]:
    return {
        "run_id": row.run_id,
        "interval_start": row.interval_start.isoformat(),
        "interval_end": row.interval_end.isoformat(),
        "parameters": row.parameters,
        "spec_hash": row.spec_hash,
        "run_type": row.run_type,
        "triggered_by": row.triggered_by,
    }
