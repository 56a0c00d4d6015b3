"""Quality specs that run by themselves: the leader fires them, and people are told how they end."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from basecamp.engines.leadership import NotLeaderError
from basecamp.services.rounds import Rounds
from basecamp.store import message, quality_schedule, registration, spec
from basecamp.store.registration import RegistrationFilter
from dli.exceptions import DLIError, ErrorCode, ExecutionError
from dli.models.quality import DqQualityResult
from dli.specs.schedule import interval_of, local_date, next_fire, previous_fire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from basecamp.clock import Clock
    from basecamp.engines.leadership import Leadership
    from basecamp.store.quality_schedule import ScheduleRow

__all__ = ["QualitySchedule"]

_log = logging.getLogger(__name__)
_AT_ONCE = 2
_ATTEMPTS = 5
_PAUSE = timedelta(seconds=60)
_LATER = frozenset({ErrorCode.CONNECTION_FAILED, ErrorCode.SERVER_EXECUTION})
"""The tests could not run now; soon they may."""
_MICROSECOND = timedelta(microseconds=1)

Content = dict[str, Any]


class QualitySchedule:
    """A thread of its own, and one for each spec whose tests are under way.

    A fire is noted before its tests begin and struck out when they have ended: a server that dies
    in between lets the next one repeat them after a minute, which changes nothing. Of the fires
    that were missed the latest is made up.
    """

    def __init__(
        self,
        leadership: Leadership,
        examine: Callable[[Content, Mapping[str, Any]], Mapping[str, Any]],
        clock: Clock,
        *,
        on_message: Callable[[], None] = lambda: None,
    ) -> None:
        """`examine` runs a spec's tests with these parameters; it gives the record of a result."""
        self._leadership = leadership
        self._examine = examine
        self._clock = clock
        self._on_message = on_message
        self._under_way: set[str] = set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="quality")
        self._rounds = Rounds("quality-schedule", self.tick, clock)

    def start(self) -> None:
        """Begin with what an earlier server has left."""
        self._rounds.start()

    def wake(self) -> None:
        """A spec was registered."""
        self._rounds.wake()

    def stop(self) -> None:
        """End; tests that are under way are repeated by the next server."""
        self._rounds.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def tick(self) -> datetime | None:
        """Hand out what is due; returns when there is something to do next."""
        if self._leadership.term is None:
            return None
        now = self._clock.now()
        with self._leadership.read() as tx:
            changes = _changes(tx)
            following = quality_schedule.next_at(tx)
        if not changes and (following is None or following > now):
            return following
        with self._leadership.transaction() as tx:
            _follow_registry(tx, _changes(tx), now)
            for row in quality_schedule.due(tx, now):
                _fire(tx, row, now)
            rows = quality_schedule.take(tx, now, now + _PAUSE)
            following = quality_schedule.next_at(tx)
        for row in rows:
            self._hand_out(row)
        return following

    def _hand_out(self, row: ScheduleRow) -> None:
        with self._lock:
            if row.name in self._under_way:
                return  # it is looked at again when that has ended
            self._under_way.add(row.name)
        self._pool.submit(self._one, row)

    def _one(self, row: ScheduleRow) -> None:
        try:
            self._examined(row)
        except NotLeaderError:
            pass  # whoever leads repeats it
        except Exception as exc:  # noqa: BLE001 - nobody waits for what this thread raises
            _log.error("quality.not_stored", exc_info=exc, extra={"spec": row.name})
        finally:
            with self._lock:
                self._under_way.discard(row.name)
            self._rounds.wake()

    def _examined(self, row: ScheduleRow) -> None:
        with self._leadership.read() as tx:
            content: Content = spec.load(tx, row.spec_hash)["spec"]
        day = local_date(interval_of(row.cron, row.timezone, row.pending_at).start, row.timezone)
        try:
            parameters = {"execution_date": day.isoformat()}
            result = DqQualityResult.model_validate(self._examine(content, parameters))
        except DLIError as error:
            self._failed(row, content, error)
            return
        except Exception as exc:  # noqa: BLE001 - the fire must end, or it is repeated for ever
            _log.error("quality.failed", exc_info=exc, extra={"spec": row.name})
            self._failed(row, content, ExecutionError(f"Unexpected {type(exc).__name__}."))
            return
        title = f"Quality of {row.name}: {result.status.value}"
        self._ended(row, content, title, "\n".join(_told(result)), is_good=result.failed_count == 0)

    def _failed(self, row: ScheduleRow, content: Content, error: DLIError) -> None:
        what = {"spec": row.name, "code": error.code.value, "reason": error.message}
        if error.code in _LATER and row.attempt + 1 < _ATTEMPTS:
            _log.warning("quality.put_off", extra=what)
            with self._leadership.transaction() as tx:
                quality_schedule.end(tx, row, self._clock.now() + _PAUSE)
            return
        _log.warning("quality.not_run", extra=what)
        title = f"Quality of {row.name}: the tests could not run"
        self._ended(row, content, title, f"{error.code.value}: {error.message}", is_good=False)

    def _ended(
        self, row: ScheduleRow, content: Content, title: str, body: str, *, is_good: bool
    ) -> None:
        now = self._clock.now()
        with self._leadership.transaction() as tx:
            quality_schedule.end(tx, row)
            message.add(tx, _targets(content, is_good=is_good), title, body, now)
        self._on_message()


def _changes(tx: Connection) -> dict[str, str | None]:
    """Specs that have come or changed, with their hash, and those that are gone."""
    known = {row.name: row.spec_hash for row in quality_schedule.all_rows(tx)}
    entries = registration.entries(tx, "quality", RegistrationFilter())
    current: dict[str, str | None] = {entry.name: entry.spec_hash for entry in entries}
    new = {name: digest for name, digest in current.items() if known.get(name) != digest}
    return new | dict.fromkeys(known.keys() - current.keys())


def _follow_registry(tx: Connection, changes: Mapping[str, str | None], now: datetime) -> None:
    known = {row.name: row for row in quality_schedule.all_rows(tx)}
    for name, digest in changes.items():
        if digest is None:
            quality_schedule.forget(tx, name)
            continue
        schedule = spec.load(tx, digest)["spec"].get("schedule") or {}
        cron = schedule.get("cron", "") if schedule.get("enabled", True) else ""
        timezone = schedule.get("timezone", "UTC")
        values: dict[str, Any] = {"spec_hash": digest, "cron": cron, "timezone": timezone}
        row = known.get(name)
        if row is None or (row.cron, row.timezone) != (cron, timezone):
            # Fires of an earlier schedule are not made up.
            first = next_fire(cron, timezone, now) if cron else None
            values |= {"pending_at": None, "try_at": None, "next_fire_at": first}
        quality_schedule.put(tx, name, **values)


def _fire(tx: Connection, row: ScheduleRow, now: datetime) -> None:
    latest = previous_fire(row.cron, row.timezone, now + _MICROSECOND)
    if latest > row.next_fire_at:
        _log.warning("quality.fires_missed", extra={"spec": row.name, "made_up": str(latest)})
    quality_schedule.begin(tx, row.name, latest, next_fire(row.cron, row.timezone, now))


def _told(result: DqQualityResult) -> Iterator[str]:
    """One line for each test that did not pass."""
    for test in result.test_results:
        if test["status"] not in ("pass", "skipped"):
            reason = test["error_message"] or f"{test['failed_rows']} failing rows"
            yield f"{test['test_name']}: {test['status']}, {reason}"


def _targets(content: Content, *, is_good: bool) -> Iterator[dict[str, str]]:
    """Who wants to hear of such an end."""
    channels = content.get("notifications") or {}
    for kind, wishes in channels.items():
        if wishes.get("on_success", False) if is_good else wishes.get("on_failure", True):
            for channel in [wishes["channel"]] if kind == "slack" else wishes["recipients"]:
                yield {"type": kind, "channel": channel}
