"""Reads what has become of runs in Airflow, and of runs that Airflow made itself."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from basecamp.engines.airflow import ledger
from basecamp.engines.airflow.change import ChangeSet
from basecamp.engines.airflow.fault import AirflowError, Reason
from basecamp.engines.airflow.ledger import End, Findings, Progress
from basecamp.engines.airflow.run_id import airflow_id
from basecamp.engines.airflow.watch import paused_by_hand
from basecamp.store import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Executor

    from basecamp.clock import Clock
    from basecamp.engines.airflow.rest import AirflowRest
    from basecamp.engines.airflow.state import SeenResult, SeenRun
    from basecamp.engines.airflow.watermark import Watermark
    from basecamp.store.database import Transactions
    from basecamp.store.run import RunRow

_log = logging.getLogger(__name__)
SHORT_OVERLAP = timedelta(seconds=5)
LONG_OVERLAP = timedelta(seconds=60)
_LOOKED_AT = 100


class Follower:
    """The way back; used by the engine's own thread."""

    def __init__(
        self,
        database: Transactions,
        rest: AirflowRest,
        watermark: Watermark,
        pool: Executor,
        clock: Clock,
    ) -> None:
        self._database = database
        self._rest = rest
        self._watermark = watermark
        self._pool = pool
        self._clock = clock

    def follow(self, overlap: timedelta) -> ChangeSet:
        """Take over all that has changed since the last time."""
        changes = ChangeSet()
        since = self._watermark.since(self._clock.now(), overlap)
        cursor: str | None = ""
        began_at = None
        while cursor is not None:
            page = self._rest.changed_runs(since, cursor)
            began_at = began_at or page.at
            self._take_over(page.runs, changes)
            cursor = page.next_cursor
        self._watermark.move(began_at)
        return changes

    def verify(self, paused: frozenset[str]) -> ChangeSet:
        """Compare the runs that are open here with those that are open there.

        A queued run of a DAG in `paused` tells why it does not begin.
        """
        changes = ChangeSet()
        with self._database.read() as tx:
            ours = run.handed_over(tx)
        waiting = [row for row in ours if row.status == "PENDING" and row.dataset_name in paused]
        self._explain(waiting, changes)
        active = self._rest.active_runs()
        self._take_over(active, changes)
        shown = {(seen.dag_id, seen.run_id) for seen in active}
        unseen = [row for row in ours if (row.dataset_name, _name(row)) not in shown]
        found = list(self._pool.map(self._look_up, unseen))
        self._take_over([seen for seen in found if seen is not None], changes)
        self._lose([row for row, seen in zip(unseen, found, strict=True) if seen is None], changes)
        return changes

    def follow_attempts(self) -> ChangeSet:
        """Take over which attempt a run is at and how the earlier ones ended, before it has ended.

        Airflow does not count a new attempt as a change of the run.
        """
        changes = ChangeSet()
        with self._database.read() as tx:
            going_on = [row for row in run.handed_over(tx) if row.status == "RUNNING"]
        rows = [row for row in going_on if row.max_attempts > 1][:_LOOKED_AT]
        found = list(self._pool.map(self._progress_of, rows))
        if any(found):
            with self._database.transaction() as tx:
                for row, progress in zip(rows, found, strict=True):
                    ledger.enter_attempts(tx, row.run_id, progress, changes)
        return changes

    def _progress_of(self, row: RunRow) -> Progress | None:
        """The attempts so far, if that is news; what the last one left is there until the next."""
        dag_id, run_id = row.dataset_name, _name(row)
        try:
            tries = self._rest.tries(dag_id, run_id)
            begun = [one for one in tries if one.started_at is not None]
            if not begun or (len(begun) == 1 and not begun[0].has_ended):
                return None
            left = self._result_of(dag_id, run_id) if begun[-1].has_ended else None
        except AirflowError as fault:
            _log.warning("engine.attempts_unread", extra={"reason": fault.reason})
            return None
        return Progress(begun, left)

    def _explain(self, rows: Sequence[RunRow], changes: ChangeSet) -> None:
        if rows:
            with self._database.transaction() as tx:
                for row in rows:
                    ledger.explain(tx, row, paused_by_hand(), changes)

    def _look_up(self, row: RunRow) -> SeenRun | None:
        return self._rest.run(row.dataset_name, _name(row))

    def _take_over(self, seen: Iterable[SeenRun], changes: ChangeSet) -> None:
        findings = Findings()
        now = self._clock.now()
        with self._database.transaction() as tx:
            for one in seen:
                own = ledger.enter(tx, one, now, changes)
                findings.ended += own.ended
                findings.orphans += own.orphans
            changes.counts.write(tx)
        for orphan in findings.orphans:
            _log.warning("engine.orphan_stopped", extra={"run_id": orphan.run_id})
            self._rest.stop(orphan.dag_id, orphan.run_id)
        self._settle(findings.ended, changes)

    def _settle(self, ended: Sequence[SeenRun], changes: ChangeSet) -> None:
        if not ended:
            return
        ends = [end for end in self._pool.map(self._end_of, ended) if end is not None]
        now = self._clock.now()
        with self._database.transaction() as tx:
            for end in ends:
                ledger.finish(tx, end, now, changes)
            changes.counts.write(tx)

    def _end_of(self, seen: SeenRun) -> End | None:
        """How a run ended; None when that cannot be read just now, so that it is asked again."""
        try:
            tries = self._rest.tries(seen.dag_id, seen.run_id)
            return End(seen, tries, self._result_of(seen.dag_id, seen.run_id))
        except AirflowError as fault:
            _log.warning("engine.end_unread", extra={"reason": fault.reason})
            return None

    def _result_of(self, dag_id: str, run_id: str) -> SeenResult | None:
        try:
            return self._rest.result(dag_id, run_id)
        except AirflowError as fault:
            if fault.reason is Reason.PROTOCOL:
                return None  # how the run ended is known; only its figures are not
            raise

    def _lose(self, rows: Sequence[RunRow], changes: ChangeSet) -> None:
        if not rows:
            return
        now = self._clock.now()
        with self._database.transaction() as tx:
            for row in rows:
                ledger.lose(tx, row.run_id, "Airflow does not know the run any more.", now, changes)
            changes.counts.write(tx)


def _name(row: RunRow) -> str:
    return airflow_id(row.dataset_name, row.run_id)
