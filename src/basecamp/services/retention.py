"""Lets go of history that has had its time: runs, their logs, answers to repeated requests."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from basecamp.services.rounds import Rounds
from basecamp.store import audit, expiry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from basecamp.clock import Clock
    from basecamp.engines.leadership import Leadership

_log = logging.getLogger(__name__)
_EVERY = timedelta(hours=1)
_FIRST_AFTER = timedelta(minutes=1)  # a start has better things to do
_BATCH = 200
ACTOR = "retention"
"""Who it is in the audit trail."""


@dataclass(frozen=True)
class Keeping:
    """What is kept: runs of the last `days`, and of each dataset at least the newest `runs`."""

    days: int
    runs: int
    log_days: int
    logs_dir: Path
    """Logs of runs; those on Airflow are Airflow's."""


class Retention:
    """Work of the leader, once an hour; each step is a short transaction with its audit row."""

    def __init__(
        self,
        leadership: Leadership,
        keeping: Keeping,
        clock: Clock,
        on_expired: Callable[[str, int], None] = lambda _what, _count: None,
    ) -> None:
        """`on_expired` is told what has gone and how many of it."""
        self._leadership = leadership
        self._keeping = keeping
        self._clock = clock
        self._on_expired = on_expired
        self._next_at = clock.now() + _FIRST_AFTER
        self._rounds = Rounds("retention", self._round, clock)
        self.start = self._rounds.start
        self.stop = self._rounds.stop

    def _round(self) -> datetime:
        now = self._clock.now()
        if now >= self._next_at or self._next_at - now > _EVERY:  # or the clock was set back
            self.expire()
            self._next_at = now + _EVERY
        return self._next_at

    def expire(self) -> None:
        """Let go of all that has had its time.

        Raises:
            NotLeaderError: another server does it.
        """
        with self._leadership.read() as tx:
            names = expiry.crowded(tx, self._keeping.runs)
        for name in names:
            self._until_done("runs", name, self._expire_runs)
        self._until_done("backfills", "backfills", self._expire_backfills)
        self._until_done("answers", None, self._expire_answers)
        self._sweep_logs()

    def _until_done(
        self,
        what: str,
        resource: str | None,
        step: Callable[[Connection, str, datetime], int],
    ) -> None:
        """Make steps until one finds less than it may take; `resource` names it in the audit."""
        count = _BATCH
        while count == _BATCH and not self._rounds.is_ending:
            with self._leadership.transaction() as tx:
                now = self._clock.now()
                count = step(tx, resource or "", now)
                if count and resource is not None:
                    audit.record(
                        tx,
                        at=now,
                        actor=ACTOR,
                        action="history.expire",
                        resource=resource,
                        detail={what: count},
                    )
            if count:
                self._on_expired(what, count)
                _log.info("history.expired", extra={"what": what, "count": count})

    def _expire_runs(self, tx: Connection, name: str, now: datetime) -> int:
        before = now - timedelta(days=self._keeping.days)
        keep = self._keeping.runs
        run_ids = expiry.expire_runs(tx, name, keep=keep, before=before, limit=_BATCH)
        # Should this not be stored after all, a run has lost its log; the other way round, nobody
        # would ever remove it.
        self._remove(self._keeping.logs_dir / f"{run_id}.jsonl" for run_id in run_ids)
        return len(run_ids)

    def _expire_backfills(self, tx: Connection, _name: str, now: datetime) -> int:
        before = now - timedelta(days=self._keeping.days)
        return expiry.expire_backfills(tx, before=before, limit=_BATCH)

    def _expire_answers(self, tx: Connection, _name: str, now: datetime) -> int:
        return expiry.expire_answers(tx, now=now, limit=_BATCH)

    def _sweep_logs(self) -> None:
        """Remove logs that nothing was written to for so long, of runs that are kept, too."""
        before = (self._clock.now() - timedelta(days=self._keeping.log_days)).timestamp()
        try:
            with os.scandir(self._keeping.logs_dir) as found:
                old = [self._keeping.logs_dir / one.name for one in found if _is_log(one, before)]
        except OSError:
            return  # no run has had a log yet
        self._remove(old)
        if old:
            self._on_expired("logs", len(old))
            _log.info("history.expired", extra={"what": "logs", "count": len(old)})

    def _remove(self, paths: Iterable[Path]) -> None:
        for path in paths:
            try:
                path.unlink(missing_ok=True)
            except OSError as exc:
                _log.warning("log.not_removed", extra={"reason": exc.strerror})


def _is_log(entry: os.DirEntry[str], before: float) -> bool:
    if not entry.name.endswith(".jsonl") or not entry.is_file(follow_symlinks=False):
        return False
    return entry.stat(follow_symlinks=False).st_mtime < before
