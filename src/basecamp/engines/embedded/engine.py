"""The loop that schedules, hands out, interrupts and settles runs on one machine."""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from basecamp.clock import Clock, SystemClock
from basecamp.engines.embedded import dispatch, scheduler
from basecamp.engines.embedded.dispatch import Execution, Plan, Report
from basecamp.engines.embedded.link import Message, WorkerLink
from basecamp.engines.embedded.log import LogReader
from basecamp.engines.embedded.question import GREED, Questions, checked
from basecamp.engines.leadership import NotLeaderError
from basecamp.engines.observer import TICK_AGE_LIMIT_S, UNOBSERVED, Observer
from basecamp.failpoint import failpoint
from basecamp.store import run, workflow
from dli.exceptions import DLIError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from basecamp.engines.base import CheckResult, Listener, LogLine, RunSpec
    from basecamp.engines.leadership import Leadership
    from basecamp.store.run import RunRow

_log = logging.getLogger(__name__)
_IDLE_S = 10.0  # the wall clock may jump: look at it at least this often
_KILL_AFTER_S = 10.0
_RETRY_S = 0.5
_FULL_PAUSE_S = 0.05
_WORKER_LEAD_S = 2.0
_GREED_CODE = ErrorCode.SPEC_INVALID.value
_STEADY_S = 5.0  # a worker that ends sooner is started again only for the next piece of work


@dataclass(frozen=True)
class EmbeddedSettings:
    """Where the project and the state lie, and how many runs go at once.

    `template_env` names the environment variables that templates may read. A worker that had
    nothing to do for `worker_idle_s` ends; it is back before the next tick, or with the next run.
    """

    project: Path
    state_dir: Path
    slots: int = 4
    template_env: tuple[str, ...] = ()
    drain_s: float = 5.0
    worker_idle_s: float = 60.0
    worker_memory_mb: int = 0


class EmbeddedEngine:
    """Scheduler, queue and worker on one machine; implements `basecamp.engines.base.Engine`."""

    can_hold: ClassVar = False

    def __init__(
        self,
        leadership: Leadership,
        settings: EmbeddedSettings,
        clock: Clock | None = None,
        *,
        on_message: Callable[[], None] = lambda: None,
        observer: Observer = UNOBSERVED,
    ) -> None:
        """`on_message` is called when there is something to tell people."""
        self._leadership = leadership
        self._term: int | None = None
        self._settings = settings
        self._clock = clock or SystemClock()
        self._on_message = on_message
        self._observer = observer
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._executions: dict[str, Execution] = {}
        self._reports: list[Report] = []
        self._questions = Questions(
            lambda: self._inbox.put({"op": "questions"}), self._clock.monotonic
        )
        self.ask = self._questions.ask
        self._listeners: list[Listener] = []
        self._logs = LogReader()
        self._link: WorkerLink | None = None
        self._due_at: datetime | None = None
        self._retry_at: datetime | None = None
        self._worker_started_at = self._worker_used_at = 0.0
        self._stopping = False
        self._is_awake = True
        self._failing: str | None = None
        self._stepped_at = self._clock.monotonic()
        self._thread = threading.Thread(target=self._loop, name="embedded-engine", daemon=True)

    def start(self) -> None:
        """Begin to schedule, as long as this server leads."""
        self._start_worker()
        self._inbox.put({"op": "wake"})
        self._thread.start()

    def stop(self) -> None:
        """Hand nothing out any more, give running SQL a few seconds, end the worker.

        What is still running is rolled back by its engine and done again at the next start.
        """
        self._inbox.put({"op": "stop"})
        self._thread.join()

    def wake(self) -> None:
        self._inbox.put({"op": "wake"})

    def admit(self, dataset_name: str) -> None:
        """No workflow can be held here."""

    def prepare_stop(self) -> None:
        """The worker can always be told."""

    def put_in_force(self, dataset_names: Iterable[str]) -> None:
        """What is stored is in force."""

    def holds(self) -> Mapping[str, str]:
        return {}

    def log(self, run: RunRow, *, after: int, limit: int) -> list[LogLine]:
        path = self._settings.state_dir / "logs" / f"{run.run_id}.jsonl"
        return self._logs.read(path, after=after, limit=limit)

    def interrupt(self, run_ids: Iterable[str]) -> None:
        self._inbox.put({"op": "interrupt", "run_ids": list(run_ids)})

    def subscribe(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def check(self, spec: RunSpec, *, bind: bool) -> CheckResult:
        return checked(self, spec, bind=bind)

    def health(self) -> dict[str, Any]:
        age_s = self._clock.monotonic() - self._stepped_at
        alive = self._thread.is_alive() and age_s < TICK_AGE_LIMIT_S
        return {
            "ok": alive and self._failing is None,
            "scheduler": self._scheduler_state() if alive else "stopped",
            "store": "failing" if self._failing == "store" else "ok",
            "worker_pid": self._link.pid if self._link else None,
            "executing": len(self._executions),
            "tick_age_s": age_s,
        }

    def _scheduler_state(self) -> str:
        return "ok" if self._leadership.term is not None else "standby"

    # The loop. Everything below runs in the engine's own thread.

    def _loop(self) -> None:
        while not self._stopping:
            try:
                self._turn()
            except Exception as exc:  # noqa: BLE001 - one bad turn must not end all later ones
                _log.error("engine.failed", exc_info=exc)
                self._failing, self._is_awake = "engine", True
                self._observer.failed("engine_failed")
        self._drain()

    def _turn(self) -> None:
        self._receive(self._wait_s())
        self._watch_limits()
        self._watch_worker()
        if self._is_work_likely() and not self._stopping:
            self._step()

    def _wait_s(self) -> float:
        if self._failing is not None:
            return _RETRY_S
        if self._reports:
            return 0.0
        waits = [_IDLE_S]
        now = self._clock.now()
        waits += [
            (at - now).total_seconds() for at in (self._due_at, self._retry_at) if at is not None
        ]
        monotonic = self._clock.monotonic()
        if self._is_awake:
            waits.append(self._free_at() - monotonic)
        if self._link is not None:
            waits.append(self._worker_used_at + self._settings.worker_idle_s - monotonic)
        elif self._due_at is not None and not self._is_tick_near():
            waits.append((self._due_at - now).total_seconds() - _WORKER_LEAD_S)
        waits += [_limit(execution) - monotonic for execution in self._executions.values()]
        if self._link is not None and (since := self._questions.withdrawn_since) is not None:
            waits.append(since + _KILL_AFTER_S - monotonic)
        return max(0.0, min(waits))

    def _is_work_likely(self) -> bool:
        now = self._clock.now()
        dues = [at for at in (self._due_at, self._retry_at) if at is not None]
        if self._reports or any(at <= now for at in dues):
            return True
        monotonic = self._clock.monotonic()
        if monotonic >= self._stepped_at + _IDLE_S:  # also while questions leave no moment of rest
            return True
        return self._is_awake and monotonic >= self._free_at()

    def _free_at(self) -> float:
        """When to look at what others have stored: soon, as long as nothing of it could start."""
        is_full = len(self._executions) >= self._settings.slots
        return self._stepped_at + _FULL_PAUSE_S if is_full else 0.0

    def _receive(self, timeout_s: float) -> None:
        try:
            message: Message | None = self._inbox.get(timeout=timeout_s)
        except queue.Empty:
            self._is_awake = True
            return
        while message is not None:
            self._handle(message)
            try:
                message = self._inbox.get_nowait()
            except queue.Empty:
                message = None

    def _handle(self, message: Message) -> None:
        match message.pop("op"):
            case "wake":
                self._is_awake = True
            case "result":
                self._reports.append(Report(**message))
            case "interrupt":
                for run_id in message["run_ids"]:
                    self._interrupt(run_id)
            case "questions" if not self._stopping:
                self._put_questions()
            case "answered":
                self._questions.settle(message)
            case "logged":
                self._notify(set(message["run_ids"]))
            case "gone":
                self._replace_worker(message["link"])
            case "stop":
                self._stopping = True
                self._questions.close()

    def _step(self, *, takes_work: bool = True) -> None:
        """One transaction: settle what ended, tick what is due, take what can start."""
        now = self._clock.now()
        plan = Plan()
        term = self._leadership.term
        if term is None or term != self._term:
            self._stand_by()
        if term is None:
            return
        try:
            with self._leadership.transaction() as tx:
                if term != self._term:
                    dispatch.adopt(tx, now)
                self._settle(tx, now, plan)
                if takes_work:
                    self._take(tx, now, plan)
                stopped = self._stopped(tx)
                plan.counts.write(tx)
                failpoint("engine.decided")
            failpoint("engine.stored")
            self._term = term
            self._failing, self._is_awake = None, False
        except NotLeaderError:
            return  # the next step sees it
        except DLIError as exc:
            self._failing = "store"
            self._observer.failed("store_failed")
            _log.error("engine.store_failed", extra={"code": exc.code.value})
            return
        self._observer.progressed(plan.counts)
        self._carry_out(plan)
        for run_id in stopped:
            self._interrupt(run_id)

    def _stand_by(self) -> None:
        """Let go of all work: another server has it now, or what is stored of it is old."""
        if self._executions and self._link is not None:
            retired, self._link = self._link, None
            retired.kill()
            self._questions.lose()
        self._executions.clear()
        self._reports.clear()
        self._due_at = self._retry_at = self._term = None
        self._failing, self._is_awake = None, False
        self._stepped_at = self._clock.monotonic()

    def _stopped(self, tx: Connection) -> set[str]:
        """What runs here although it was stopped, through another server on the same store."""
        if not self._leadership.is_shared or not self._executions:
            return set()
        return run.ended_among(tx, self._executions.keys())

    def _settle(self, tx: Connection, now: datetime, plan: Plan) -> None:
        for report in self._reports:
            execution = self._executions.get(report.run_id)
            if execution is not None and execution.claim == report.claim:
                dispatch.settle(tx, execution, report, now, plan)

    def _take(self, tx: Connection, now: datetime, plan: Plan) -> None:
        self._due_at = workflow.next_due_at(tx)
        if self._due_at is not None and self._due_at <= now:
            plan.changed.update(scheduler.tick_all(tx, now))
            self._due_at = workflow.next_due_at(tx)
        executing = {e.dataset_name for e in self._executions.values() if e not in plan.ended}
        free = self._settings.slots - len(executing)
        dispatch.claim(tx, now, executing | self._questions.written, free, plan)

    def _carry_out(self, plan: Plan) -> None:
        for event, words in plan.events:
            _log.info(event, extra=words)
        self._reports.clear()
        self._retry_at = plan.retry_at
        self._stepped_at = self._clock.monotonic()
        for execution in plan.ended:
            del self._executions[execution.run_id]
        for execution, message in plan.started:
            execution.deadline = self._clock.monotonic() + execution.timeout_seconds
            self._executions[execution.run_id] = execution
            self._send(message)
            failpoint("engine.handed_over")
        if plan.ended:
            self._put_questions()
        if plan.has_messages:
            self._on_message()
        self._notify(plan.changed)

    def _notify(self, changed: set[str]) -> None:
        if changed:
            for listener in self._listeners:
                listener(changed)

    def _watch_limits(self) -> None:
        now = self._clock.monotonic()
        if self._link is not None and self._questions.is_stuck(now, _KILL_AFTER_S):
            self._link.kill()
        for execution in self._executions.values():
            if now < _limit(execution):
                continue
            if execution.interrupted_at is None:
                execution.is_timed_out = True
                self._interrupt(execution.run_id)
            else:
                execution.interrupted_at = now
                if self._link is not None:
                    self._link.kill()

    def _watch_worker(self) -> None:
        """End a worker that idles, have one ready for a tick that is near."""
        now = self._clock.monotonic()
        if self._executions or self._questions:
            self._worker_used_at = now
        if self._link is None and self._is_tick_near():
            self._start_worker()
        elif self._link is not None and now >= self._worker_used_at + self._settings.worker_idle_s:
            retired, self._link = self._link, None
            retired.close(timeout_s=1.0)

    def _is_tick_near(self) -> bool:
        if self._due_at is None:
            return False
        return (self._due_at - self._clock.now()).total_seconds() <= _WORKER_LEAD_S

    def _interrupt(self, run_id: str) -> None:
        execution = self._executions.get(run_id)
        if execution is None or execution.interrupted_at is not None:
            return
        execution.interrupted_at = self._clock.monotonic()
        which = {"run_id": run_id, "claim": execution.claim}
        self._send({"op": "interrupt", **which, "is_late": execution.is_timed_out})

    def _put_questions(self) -> None:
        for message in self._questions.due({e.dataset_name for e in self._executions.values()}):
            self._send(message)
        if self._questions.has_freed():
            self._is_awake = True  # a run may have waited for the dataset

    # The worker.

    def _start_worker(self) -> WorkerLink | None:
        def receive(link: WorkerLink, message: Message) -> None:
            if message["op"] == "gone":
                message["link"] = link
            self._inbox.put(message)

        self._worker_started_at = self._worker_used_at = self._clock.monotonic()
        settings = self._settings
        try:
            self._link = WorkerLink(
                settings.project,
                settings.state_dir,
                settings.template_env,
                receive,
                memory_mb=settings.worker_memory_mb,
            )
        except OSError as exc:  # no process or no descriptor is to be had at the moment
            self._observer.failed("no_worker")
            _log.error("engine.no_worker", extra={"reason": exc.strerror})
        return self._link

    def _send(self, message: Message) -> None:
        link = self._link or self._start_worker()
        if link is None:
            self._lose_work()
        else:
            link.send(message)

    def _replace_worker(self, gone: WorkerLink) -> None:
        if gone is not self._link:
            return
        self._observer.failed("worker_ended")
        _log.warning("engine.worker_ended", extra={"worker_pid": gone.pid})
        self._link = None
        self._lose_work(gone)
        if not self._stopping and self._clock.monotonic() - self._worker_started_at > _STEADY_S:
            self._start_worker()

    def _lose_work(self, gone: WorkerLink | None = None) -> None:
        """Whatever was handed to the worker and not answered ends here."""
        reported = {report.run_id for report in self._reports}
        lost = [each for each in self._executions.values() if each.run_id not in reported]
        culprit = gone.culprit if gone is not None else None
        is_known = (
            culprit is not None
            or self._questions.is_stuck(self._clock.monotonic(), _KILL_AFTER_S)
            or any(each.interrupted_at is not None for each in lost)
        )
        for execution in lost:
            if self._stopping:  # it is taken over at the next start
                del self._executions[execution.run_id]
            else:
                run_id, claim = execution.run_id, execution.claim
                has_begun = gone is not None and gone.has_begun(run_id, claim)
                if culprit == {"run_id": run_id, "claim": claim}:
                    report = Report(run_id, claim, code=_GREED_CODE, message=GREED)
                else:
                    report = _lost(execution, has_begun, is_known)
                self._reports.append(report)
        self._questions.lose(culprit)

    def _drain(self) -> None:
        """Wait for running SQL as long as allowed, storing what ends, then hang up."""
        until = self._clock.monotonic() + self._settings.drain_s
        while self._executions and (left_s := until - self._clock.monotonic()) > 0:
            self._receive(left_s)
            self._step(takes_work=False)
        if self._link is not None:
            self._link.close(timeout_s=1.0)


def _lost(execution: Execution, has_begun: bool, was_killed_by_us: bool) -> Report:  # noqa: FBT001
    """What became of a run whose worker ended: only one that had begun can be to blame."""
    return Report(
        execution.run_id,
        execution.claim,
        is_crash=has_begun and not was_killed_by_us,
        is_collateral=was_killed_by_us and execution.interrupted_at is None,
        is_false_start=not has_begun and not was_killed_by_us,
    )


def _limit(execution: Execution) -> float:
    """When the run is interrupted, or when its worker is killed because that did not help."""
    if execution.interrupted_at is None:
        return execution.deadline
    return execution.interrupted_at + _KILL_AFTER_S
