"""The fires between the last look of the embedded scheduler and the first one of Airflow's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from basecamp.engines.airflow.sender import lag
from basecamp.store import tick, workflow
from dli.specs.run_id import scheduled_run_id
from dli.specs.schedule import fires_between, interval_of, next_fire

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from basecamp.clock import Clock
    from basecamp.engines.airflow.rest import AirflowRest
    from basecamp.store.database import Transactions
    from basecamp.store.workflow import WorkflowRow

__all__ = ["Handover", "begin_handover"]

_AT_ONCE = 50
_COUNTED_TICKS = 10_000
_CATCHUP_LIMIT = 200
_HOLD_S = 60.0


def begin_handover(state_dir: Path) -> None:
    """Note that Airflow takes over from the embedded engine; survives a crash of the server."""
    _mark(state_dir).touch()


class Handover:
    """Queues what neither scheduler has fired, workflow by workflow as Airflow shows them.

    Airflow makes up nothing from before it saw a workflow first. Each fire before the next one it
    plans is thus either a run there already or belongs to the gap.
    """

    def __init__(
        self, database: Transactions, rest: AirflowRest, state_dir: Path, clock: Clock
    ) -> None:
        self._database = database
        self._rest = rest
        self._mark = _mark(state_dir)
        self._clock = clock
        self._began_at = clock.monotonic()
        self._waiting: dict[str, datetime] | None = None

    @property
    def is_due(self) -> bool:
        return self._mark.exists()

    @property
    def holds_back(self) -> bool:
        """Whether runs of Airflow are better not taken over yet: they move the next fire on."""
        return self.is_due and self._clock.monotonic() - self._began_at < _HOLD_S

    def step(self) -> set[str]:
        """Look at some workflows; returns the ids of the runs it queued.

        Raises:
            AirflowError: Airflow does not answer; the next step goes on.
        """
        if self._waiting is None:
            with self._database.read() as tx:
                rows = workflow.in_force(tx)
            fires = ((row.dataset_name, row.next_fire_at) for row in rows)
            self._waiting = {name: fire for name, fire in fires if fire is not None}
        queued: set[str] = set()
        for name, fire in list(self._waiting.items())[:_AT_ONCE]:
            del self._waiting[name]
            self._waiting[name] = fire  # to the end: one that never shows must not hold the others
            if self._settle(name, fire, queued):
                del self._waiting[name]
        if not self._waiting:
            self._mark.unlink(missing_ok=True)
        return queued

    def _settle(self, name: str, first: datetime, queued: set[str]) -> bool:
        """Whether nothing is left to do for this workflow, whose first open fire is `first`."""
        with self._database.read() as tx:
            row = workflow.effective(tx, name)
        if row is None or row.next_fire_at is None:
            return True
        dag = self._rest.dag(name)
        if dag is None or lag(dag, row.spec_hash) is not None:
            return False
        now = self._clock.now()
        if first > now:
            return True  # Airflow has seen the workflow before this fire and plans it
        missed = self._missed(row, first, dag.next_run_at)
        if missed:
            with self._database.transaction() as tx:
                queued |= _make_up(tx, row, missed, now)
        return True

    def _missed(self, row: WorkflowRow, first: datetime, end: datetime | None) -> list[datetime]:
        """Fires from `first` on, before `end`, that Airflow has not run."""
        if end is None or end <= first:
            return []
        later = fires_between(row.cron, row.timezone, first, end, limit=_COUNTED_TICKS)
        fires = [first, *(fire for fire in later if fire < end)]
        # What Airflow has made itself are the newest ones: they came after it saw the workflow.
        while fires and self._has_run(row, fires[-1]):
            fires.pop()
        return fires

    def _has_run(self, row: WorkflowRow, fire: datetime) -> bool:
        interval = interval_of(row.cron, row.timezone, fire)
        run_id = scheduled_run_id(row.dataset_name, interval.start)
        return self._rest.run(row.dataset_name, run_id) is not None


def _make_up(tx: Connection, row: WorkflowRow, missed: list[datetime], now: datetime) -> set[str]:
    """Queue the latest, or all when the spec asks to catch up; the others are recorded."""
    taken = missed[-_CATCHUP_LIMIT:] if row.catchup else missed[-1:]
    skipped = missed[: len(missed) - len(taken)]
    if skipped:
        tick.miss(tx, row, skipped[0], skipped[-1], count=len(skipped), now=now)
    queued = {run_id for fire in taken if (run_id := tick.fire(tx, row, fire, now)) is not None}
    if row.next_fire_at is not None and row.next_fire_at <= missed[-1]:
        following = next_fire(row.cron, row.timezone, missed[-1])
        workflow.change(tx, row.id, {"next_fire_at": following})
    return queued


def _mark(state_dir: Path) -> Path:
    return state_dir / "handover"
