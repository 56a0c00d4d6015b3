"""The loop that sends runs to Airflow, follows them, and keeps Airflow's view of specs fresh."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from basecamp.clock import Clock, SystemClock
from basecamp.engines.airflow.fault import AirflowError, Reason
from basecamp.engines.airflow.follower import LONG_OVERLAP, SHORT_OVERLAP, Follower
from basecamp.engines.airflow.log import LogReader
from basecamp.engines.airflow.rest import SENTINEL
from basecamp.engines.airflow.run_id import airflow_id
from basecamp.engines.airflow.sender import Sender, lag
from basecamp.engines.airflow.watch import Watch, paused_by_hand
from basecamp.engines.embedded.question import checked
from basecamp.engines.leadership import NotLeaderError
from basecamp.engines.observer import UNOBSERVED, Observer
from basecamp.engines.pause import end_pauses
from basecamp.store import run, workflow
from dli.exceptions import DLIError, ErrorCode, ServerError, WorkflowExecutionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from basecamp.engines.airflow.change import ChangeSet
    from basecamp.engines.airflow.checker import Checker
    from basecamp.engines.airflow.circuit import Circuit
    from basecamp.engines.airflow.handover import Handover
    from basecamp.engines.airflow.pause_state import PauseStates
    from basecamp.engines.airflow.rest import AirflowRest
    from basecamp.engines.airflow.watermark import Watermark
    from basecamp.engines.base import CheckResult, Listener, LogLine, RunSpec
    from basecamp.engines.leadership import Leadership
    from basecamp.store.run import RunRow

_log = logging.getLogger(__name__)
_THREADS = 4
_BUSY_S = 0.5
_IDLE_S = 5.0
_LOOK_S = 15.0
_PARSE_AGAIN_S = 3.0
_STORE_RETRY_S = 0.5
_IN_FORCE_S = 5.0
_IN_FORCE_LOOK_S = 0.2
_IN_FORCE_NAMES = 20
"""Of a larger publication only so many are waited for; they come together."""


class AirflowEngine:
    """Runs on a real Airflow; implements `basecamp.engines.base.Engine`."""

    can_hold: ClassVar = True

    def __init__(
        self,
        leadership: Leadership,
        rest: AirflowRest,
        *,
        circuit: Circuit,
        checker: Checker,
        pauses: PauseStates,
        watermark: Watermark,
        clock: Clock | None = None,
        handover: Handover | None = None,
    ) -> None:
        self._leadership = leadership
        self._rest = rest
        self._circuit = circuit
        self._checker = checker
        self.ask = checker.ask
        self._pauses = pauses
        self._handover = handover
        self.observer: Observer = UNOBSERVED
        self._clock = clock or SystemClock()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="airflow-call")
        self._watch = Watch(rest)
        self._logs = LogReader(rest, self._clock)
        self._sender = Sender(leadership, rest, self._watch, self._clock)
        self._follower = Follower(leadership, rest, watermark, self._pool, self._clock)
        self._listeners: list[Listener] = []
        self._wanted = threading.Event()
        self._is_ending = False
        self._is_store_ok = True
        self._told_reason: Reason | None = None
        self._has_answered = False
        self._shown: tuple[Any, ...] | None = None
        self._sentinel_token: str | None = None
        self._parse_at: float | None = None
        self._parsed_at = self._follow_at = self._look_at = 0.0
        self._stepped_at = self._clock.monotonic()
        self._thread = threading.Thread(target=self._loop, name="airflow-engine", daemon=True)

    def start(self) -> None:
        """Begin where an earlier server left: what it did lies in the store and in Airflow."""
        self._thread.start()

    def stop(self) -> None:
        """Leave Airflow alone; what runs there goes on."""
        self._is_ending = True
        self._wanted.set()
        self._rest.close()
        if self._thread.ident is not None:
            self._thread.join()
        self._pool.shutdown(cancel_futures=True)
        self._checker.close()

    def wake(self) -> None:
        self._wanted.set()

    def subscribe(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def check(self, spec: RunSpec, *, bind: bool) -> CheckResult:
        return checked(self, spec, bind=bind)

    def admit(self, dataset_name: str) -> None:
        try:
            dag = self._rest.dag(dataset_name, in_haste=True)
        except AirflowError:
            return  # the run is accepted and sent as soon as Airflow is back
        if dag is not None and dag.is_paused:
            raise WorkflowExecutionError(paused_by_hand(), code=ErrorCode.WORKFLOW_INVALID_STATE)

    def prepare_stop(self) -> None:
        self._rest.part_states(in_haste=True)

    def interrupt(self, run_ids: Iterable[str]) -> None:
        """Tell Airflow at once; when it cannot be told, the next look at open runs repeats it."""
        with self._leadership.read() as tx:
            rows = [row for run_id in run_ids if (row := run.find(tx, run_id)) is not None]
        for row in rows:
            try:
                self._end(row)
            except AirflowError as fault:
                _log.warning("engine.stop_delayed", extra={"reason": fault.reason})
                self._look_at = 0.0

    def put_in_force(self, dataset_names: Iterable[str]) -> str | None:
        with self._leadership.read() as tx:
            found = (
                workflow.effective(tx, name) for name in islice(dataset_names, _IN_FORCE_NAMES)
            )
            waiting = {row.dataset_name: row.spec_hash for row in found if row is not None}
        deadline = self._clock.monotonic() + _IN_FORCE_S
        why: str | None = None
        while waiting and not self._is_ending:
            name, spec_hash = next(iter(waiting.items()))
            try:
                why = lag(self._rest.dag(name, in_haste=True), spec_hash)
            except AirflowError as fault:
                return f"{fault.note} The workflow comes into force when it is back."
            if why is None:
                del waiting[name]
            elif self._clock.monotonic() > deadline:
                return self._watch.holds.get(name, why)
            else:
                threading.Event().wait(_IN_FORCE_LOOK_S)
        return None

    def holds(self) -> Mapping[str, str]:
        return self._watch.holds

    def log(self, run: RunRow, *, after: int, limit: int) -> list[LogLine]:
        if run.claim == 0:
            return []
        lines = self._logs.lines(run.dataset_name, airflow_id(run.dataset_name, run.run_id))
        return lines[after : after + limit]

    def health(self) -> dict[str, Any]:
        age_s = self._clock.monotonic() - self._stepped_at
        is_alive = self._thread.is_alive() and age_s < 2 * 60
        fault, failing = self._circuit.fault, self._watch.failing_parts
        state = "ok" if self._has_answered else "starting"
        if fault is not None and self._circuit.is_open:
            state = str(fault.reason)
        elif failing:
            state = f"failing: {', '.join(failing)}"
        is_leading = self._leadership.term is not None
        return {
            "ok": is_alive and self._is_store_ok and (state == "ok" or not is_leading),
            "engine": state if is_leading else "standby",
            "scheduler": ("ok" if is_leading else "standby") if is_alive else "stopped",
            "store": "ok" if self._is_store_ok else "failing",
            "tick_age_s": age_s,
        }

    # The loop. Everything below runs in the engine's own thread.

    def _loop(self) -> None:
        while not self._is_ending:
            self._wanted.clear()
            self.step()
            self._wanted.wait(self._wait_s())

    def step(self) -> None:
        """One round: specs and pauses out, runs out, states in; all of it the leader's work."""
        if self._leadership.term is None:
            self._stand_by()
            return
        if self._circuit.is_open and self._circuit.wait_s() <= 0:
            self._guarded(self._try_again)
        now = self._clock.monotonic()
        self._guarded(self._show_specs)
        if self._handover is not None and self._handover.is_due:
            self._guarded(self._take_over)
        self._guarded(self._send)
        is_held_back = self._handover is not None and self._handover.holds_back
        if now >= self._follow_at and not self._circuit.is_open and not is_held_back:
            self._guarded(self._follow)
        if now >= self._look_at and not self._circuit.is_open:
            self._guarded(self._look)
        self._checker.retire()
        self._stepped_at = self._clock.monotonic()

    def _stand_by(self) -> None:
        """Remember nothing that another server may change meanwhile."""
        self._shown = None
        self._pauses.forget()
        self._is_store_ok = True
        self._stepped_at = self._clock.monotonic()

    def _guarded(self, part: Callable[[], None]) -> None:
        try:
            part()
        except AirflowError as fault:
            if fault.reason != self._told_reason:
                self._told_reason = fault.reason
                _log.warning("engine.call_failed", extra={"reason": fault.reason})
        except NotLeaderError:
            self._wanted.set()  # the next round sees it
        except ServerError as exc:
            self._is_store_ok = False
            _log.error("engine.store_failed", extra={"code": exc.code.value})
        except DLIError as exc:
            _log.error("engine.step_failed", exc_info=exc)
        except Exception as exc:  # noqa: BLE001 - one bad round must not end all later ones
            _log.error("engine.step_failed", exc_info=exc)
        else:
            self._is_store_ok = True

    def _try_again(self) -> None:
        """One light question tells whether Airflow is back; what it was given up for is heavier."""
        self._rest.part_states()
        self._told_reason = None
        _log.info("engine.back")

    def _wait_s(self) -> float:
        if not self._is_store_ok:
            return _STORE_RETRY_S
        if self._circuit.is_open:
            return min(_IDLE_S, max(_BUSY_S, self._circuit.wait_s()))
        now = self._clock.monotonic()
        waits = [_IDLE_S, self._follow_at - now, self._look_at - now]
        if self._handover is not None and self._handover.is_due:
            waits.append(_BUSY_S)
        if self._sender.next_try_at is not None:
            waits.append(self._sender.next_try_at - now)
        if self._parse_at is not None:
            waits.append(self._parse_at - now)
        return max(0.05, min(waits))

    def _show_specs(self) -> None:
        """Have Airflow look at the spec store when it has changed, pauses included."""
        now = self._clock.now()
        with self._leadership.read() as tx:
            has_ended_pause = bool(workflow.pause_ended(tx, now))
        if has_ended_pause:
            with self._leadership.transaction() as tx:
                end_pauses(tx, now)
        with self._leadership.read() as tx:
            fingerprint = workflow.fingerprint(tx)
            rows = workflow.in_force(tx) if fingerprint != self._shown else []
        if fingerprint != self._shown:
            self._pauses.write(rows)
            self._shown = fingerprint
            self._parse_at = self._look_at = 0.0
        if self._sender.is_parse_wanted and self._parse_at is None:
            self._parse_at = self._parsed_at + _PARSE_AGAIN_S
        if self._parse_at is not None and self._parse_at <= self._clock.monotonic():
            self._parse()

    def _take_over(self) -> None:
        assert self._handover is not None
        run_ids = self._handover.step()
        if self._handover.is_due:
            self._sender.is_parse_wanted = True
        if run_ids:
            for listener in self._listeners:
                listener(run_ids)

    def _parse(self) -> None:
        self._parse_at = self._parsed_at = self._clock.monotonic() + _PARSE_AGAIN_S
        if self._sentinel_token is None:
            sentinel = self._rest.dag(SENTINEL)
            if sentinel is None:
                message = f"Airflow has no DAG {SENTINEL}; dli_airflow is missing there."
                raise AirflowError(message, reason=Reason.REFUSED)
            self._sentinel_token = sentinel.file_token
        if self._rest.parse(self._sentinel_token):
            self._parse_at = None
        else:
            self._sentinel_token = None

    def _send(self) -> None:
        changes = self._sender.send()
        if changes.run_ids:
            self._follow_at = 0.0
            self._wanted.set()  # there may be more than one batch
        self._notify(changes)

    def _follow(self) -> None:
        with self._leadership.read() as tx:
            is_busy = bool(run.handed_over(tx))
        self._follow_at = self._clock.monotonic() + (_BUSY_S if is_busy else _IDLE_S)
        changes = self._follower.follow(SHORT_OVERLAP)
        self._has_answered = True
        if changes.run_ids:
            self._wanted.set()  # the next run of a dataset may begin
        self._notify(changes)

    def _look(self) -> None:
        """The slower part: Airflow as a whole, and runs that the quick reads may have missed."""
        self._look_at = self._clock.monotonic() + _LOOK_S
        self._watch.look()
        self._notify(self._follower.follow(LONG_OVERLAP))
        self._notify(self._follower.verify(self._watch.paused))
        self._notify(self._follower.follow_attempts())

    def _end(self, row: RunRow) -> None:
        dag_id, run_id = row.dataset_name, airflow_id(row.dataset_name, row.run_id)
        seen = self._rest.run(dag_id, run_id)
        if seen is not None and not seen.has_ended:
            self._rest.stop(dag_id, run_id)

    def _notify(self, changes: ChangeSet) -> None:
        self.observer.progressed(changes.counts)
        if changes.run_ids:
            for listener in self._listeners:
                listener(changes.run_ids)
