"""The engine's loop with a worker that the test plays: what it survives and how it waits."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from basecamp.engines.base import CheckResult, RunSpec
from basecamp.engines.embedded import engine as module
from basecamp.engines.embedded.engine import EmbeddedEngine, EmbeddedSettings
from basecamp.engines.leadership import SoleLeadership
from basecamp.services import ownership
from basecamp.store import run, workflow
from basecamp.store.database import Database
from basecamp.store.new_run import run_values
from dli.exceptions import DLIError, ErrorCode, ServerError
from dli.specs.schedule import latest_interval
from process import wait_for

Message = dict[str, Any]


@dataclass
class FakeLink:
    """A worker that does nothing by itself."""

    project: Path
    state_dir: Path
    template_env: Any
    receive: Callable[["FakeLink", Message], None]
    sent: list[Message] = field(default_factory=list)
    pid: int = 1
    memory_mb: int = 0
    culprit: Message | None = None
    kills: int = 0

    def send(self, message: Message) -> None:
        self.sent.append(message)

    def kill(self) -> None:
        self.kills += 1
        self.end()

    def end(self) -> None:
        self.receive(self, {"op": "gone"})

    def has_begun(self, run_id: str, claim: int) -> bool:
        return True

    def close(self, timeout_s: float) -> None: ...

    def told(self, operation: str) -> list[Message]:
        return [message for message in self.sent if message["op"] == operation]


@dataclass
class Floor:
    """An engine under test, its store and the workers it has started."""

    engine: EmbeddedEngine
    database: Database
    clock: Any
    content: dict[str, Any]
    links: list[FakeLink]

    def queue(self, name: str = "shop.sales.daily", **changes: Any) -> str:
        now = self.clock.now()
        with self.database.transaction() as tx:
            ownership.put_manual(tx, {**self.content, "name": name}, now, stored=True)
            source = workflow.effective(tx, name)
            assert source is not None
            interval = latest_interval("", "UTC", now)
            values = run_values(source, interval, run_type="adhoc", now=now, triggered_by="ana")
            run.add(tx, [{**values, **changes}])
        self.engine.wake()
        return str(values["run_id"])

    def status(self, run_id: str) -> str:
        with self.database.read() as tx:
            row = run.find(tx, run_id)
        assert row is not None
        return str(row.status)

    def handed_over(self, run_id: str) -> tuple[FakeLink, Message]:
        return wait_for(
            lambda: next(
                (
                    (link, message)
                    for link in reversed(self.links)
                    for message in reversed(link.told("run"))
                    if message["run_id"] == run_id
                ),
                None,
            )
        )

    def report(self, run_id: str, **how: Any) -> None:
        link, message = self.handed_over(run_id)
        link.receive(
            link, {"op": "result", "run_id": run_id, "claim": message["claim"], "ok": True, **how}
        )

    def stop(self) -> None:
        """End the engine; what its worker still has in hand is lost."""
        stopper = threading.Thread(target=self.engine.stop)
        stopper.start()
        wait_for(lambda: self.engine._stopping)
        self.links[-1].end()
        stopper.join(10)
        assert not stopper.is_alive()

    def check_in_thread(self, answers: list[object]) -> threading.Thread:
        now = self.clock.now()
        spec = RunSpec({}, {}, now, now, "UTC")
        return self.in_thread(answers, lambda: self.engine.check(spec, bind=False))

    def ask_in_thread(self, answers: list[object], **how: Any) -> threading.Thread:
        how = {"timeout_s": 60.0, **how}
        return self.in_thread(answers, lambda: self.engine.ask("dataset.run", {}, **how))

    @staticmethod
    def in_thread(answers: list[object], ask: Callable[[], object]) -> threading.Thread:
        def work() -> None:
            try:
                answers.append(ask())
            except DLIError as error:
                answers.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        return thread

    def answer(self, message: Message, /, **how: Any) -> None:
        told = {"op": "answered", "id": message["id"], "ok": True, "result": {}, **how}
        self.links[-1].receive(self.links[-1], told)


@pytest.fixture
def floor(
    database: Database,
    clock: Any,
    content: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Floor]:
    links: list[FakeLink] = []

    def start_link(
        project: Path, state_dir: Path, template_env: Any, receive: Any, *, memory_mb: int
    ) -> FakeLink:
        links.append(FakeLink(project, state_dir, template_env, receive, memory_mb=memory_mb))
        return links[-1]

    monkeypatch.setattr(module, "WorkerLink", start_link)
    settings = EmbeddedSettings(tmp_path, tmp_path, slots=2, drain_s=30.0)
    engine = EmbeddedEngine(SoleLeadership(database), settings, clock)
    engine.start()
    floor = Floor(engine, database, clock, content, links)
    yield floor
    floor.stop()


def test_a_worker_that_dies_under_many_checks_takes_none_of_the_engine_along(floor: Floor) -> None:
    answers: list[object] = []
    threads = [floor.check_in_thread(answers) for _ in range(20)]
    wait_for(lambda: len(floor.links[0].told("ask")) == len(threads))
    floor.links[0].end()
    for thread in threads:
        thread.join(10)
    assert [type(answer) for answer in answers] == [ServerError] * len(threads)
    run_id = floor.queue()
    floor.report(run_id)
    wait_for(lambda: floor.status(run_id) == "COMPLETED")


def test_a_check_under_way_is_refused_at_once_when_the_engine_stops(floor: Floor) -> None:
    answers: list[object] = []
    thread = floor.check_in_thread(answers)
    wait_for(lambda: floor.links[0].told("ask"))
    floor.engine.stop()
    thread.join(5)
    assert [type(answer) for answer in answers] == [ServerError]
    late: list[object] = []
    floor.check_in_thread(late).join(5)
    assert [type(answer) for answer in late] == [ServerError]


def test_a_check_is_answered(floor: Floor) -> None:
    answers: list[object] = []
    thread = floor.check_in_thread(answers)
    (message,) = wait_for(lambda: floor.links[0].told("ask"))
    floor.answer(message, result={"statements": ["SELECT 1"]})
    thread.join(5)
    assert answers == [CheckResult(ok=True, statements=["SELECT 1"])]


def test_a_question_is_refused_with_the_code_that_the_worker_gave(floor: Floor) -> None:
    answers: list[object] = []
    thread = floor.ask_in_thread(answers)
    (message,) = wait_for(lambda: floor.links[0].told("ask"))
    floor.answer(message, ok=False, code="DLI-405", message="no such column")
    thread.join(5)
    (error,) = answers
    assert isinstance(error, DLIError)
    assert (error.code, error.message) == (ErrorCode.EXECUTION_QUERY, "no such column")


def test_a_question_that_nobody_waits_for_is_withdrawn_from_the_worker(floor: Floor) -> None:
    answers: list[object] = []
    gone: Future[None] = Future()
    thread = floor.ask_in_thread(answers, withdrawn=gone)
    (message,) = wait_for(lambda: floor.links[0].told("ask"))
    gone.set_result(None)
    thread.join(5)
    assert [type(answer) for answer in answers] == [ServerError]
    wait_for(lambda: floor.links[0].told("withdraw") == [{"op": "withdraw", "id": message["id"]}])


def test_a_question_without_an_answer_in_time_is_withdrawn(floor: Floor) -> None:
    answers: list[object] = []
    floor.ask_in_thread(answers, timeout_s=2.0).join(10)  # enough for it to be sent before
    (error,) = answers
    assert isinstance(error, ServerError)
    assert error.code is ErrorCode.SERVER_EXECUTION
    wait_for(lambda: floor.links[0].told("withdraw"))


def test_a_question_that_writes_takes_turns_with_the_runs_of_its_dataset(floor: Floor) -> None:
    first = floor.queue()
    floor.handed_over(first)
    answers: list[object] = []
    thread = floor.ask_in_thread(answers, writes="shop.sales.daily")
    wait_for(lambda: floor.engine._questions.written)
    second = floor.queue()
    other = floor.queue("shop.sales.other")
    floor.handed_over(other)  # what was asked for goes before the runs of its own dataset only
    assert floor.links[0].told("ask") == []
    floor.report(first)
    (message,) = wait_for(lambda: floor.links[0].told("ask"))
    wait_for(lambda: floor.status(first) == "COMPLETED")
    assert floor.status(second) == "PENDING"
    floor.answer(message)
    thread.join(5)
    assert answers == [{}]
    floor.handed_over(second)


def test_a_withdrawn_question_keeps_its_dataset_until_the_worker_lets_go(floor: Floor) -> None:
    answers: list[object] = []
    gone: Future[None] = Future()
    thread = floor.ask_in_thread(answers, writes="shop.sales.daily", withdrawn=gone)
    (message,) = wait_for(lambda: floor.links[0].told("ask"))
    gone.set_result(None)
    thread.join(10)
    run_id, other = floor.queue(), floor.queue("shop.sales.other")
    floor.handed_over(other)
    assert floor.status(run_id) == "PENDING"
    floor.answer(message, ok=False, message="interrupted")
    floor.handed_over(run_id)


def test_a_question_given_up_while_it_waits_lets_the_next_run_begin(floor: Floor) -> None:
    first = floor.queue()
    floor.handed_over(first)
    answers: list[object] = []
    floor.ask_in_thread(answers, writes="shop.sales.daily", timeout_s=0.05).join(10)
    second = floor.queue()
    floor.report(first)
    floor.handed_over(second)
    assert floor.links[0].told("ask") == []


def test_a_worker_that_does_not_let_go_of_a_question_is_ended(floor: Floor) -> None:
    other = floor.queue("shop.sales.other")
    floor.handed_over(other)
    gone: Future[None] = Future()
    thread = floor.ask_in_thread([], writes="shop.sales.daily", withdrawn=gone)
    wait_for(lambda: floor.links[0].told("ask"))
    gone.set_result(None)
    thread.join(10)
    wait_for(lambda: floor.links[0].told("withdraw"))
    assert floor.links[0].kills == 0
    floor.clock.advance(timedelta(seconds=10))
    floor.engine.wake()
    wait_for(lambda: floor.links[0].kills and floor.links[-1].told("run") and len(floor.links) > 1)
    floor.report(other)  # begun anew: it was not to blame
    wait_for(lambda: floor.status(other) == "COMPLETED")
    with floor.database.read() as tx:
        (row,) = run.history(tx, run.RunFilter(), 9, 0)[0]
    assert (row.attempt, row.crashes) == (1, 0)


def test_questions_are_lost_with_their_worker_and_asked_anew_of_the_next(floor: Floor) -> None:
    answers: list[object] = []
    thread = floor.ask_in_thread(answers, writes="shop.sales.daily")
    wait_for(lambda: floor.links[0].told("ask"))
    held = floor.ask_in_thread(answers, writes="shop.sales.daily")
    wait_for(lambda: len(floor.engine._questions) == 2)
    floor.links[0].end()
    thread.join(5)
    assert [type(answer) for answer in answers] == [ServerError]
    (message,) = wait_for(lambda: floor.links[-1].told("ask"))
    floor.answer(message, result={"n": 1})
    held.join(5)
    assert answers[1:] == [{"n": 1}]


def test_stopping_waits_no_longer_for_a_worker_that_died(floor: Floor) -> None:
    run_id = floor.queue()
    floor.handed_over(run_id)
    floor.stop()
    assert floor.status(run_id) == "RUNNING"  # taken over at the next start


def test_a_run_that_no_worker_could_be_started_for_is_tried_again(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = threading.Event()

    def refuse(*_: Any, **_more: Any) -> FakeLink:
        refused.set()
        raise OSError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(module, "WorkerLink", refuse)
        floor.links[0].end()
        run_id = floor.queue()
        assert refused.wait(10)
        wait_for(lambda: not floor.engine._executions)
    floor.clock.advance(timedelta(seconds=1))
    floor.engine.wake()
    floor.report(run_id)
    wait_for(lambda: floor.status(run_id) == "COMPLETED")


def test_past_its_time_limit_a_run_is_waited_for_without_haste(floor: Floor) -> None:
    run_id = floor.queue(timeout_seconds=5)
    link, _ = floor.handed_over(run_id)
    floor.clock.advance(timedelta(seconds=6))
    floor.engine.wake()
    wait_for(lambda: link.told("interrupt"))
    wait_for(lambda: 9 <= floor.engine._wait_s() <= 10)  # until the worker would be killed


def test_who_does_not_lead_rests_when_woken(floor: Floor) -> None:
    floor.engine._leadership.term = None  # type: ignore[misc]
    for _ in range(3):
        floor.engine.wake()
        wait_for(lambda: floor.engine._inbox.empty() and floor.engine._wait_s() > 1)
    assert floor.engine.health()["scheduler"] == "standby"


def test_messages_without_end_do_not_keep_it_from_looking_at_its_clock(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = count()
    with monkeypatch.context() as patched:
        # There always is another message, none of which wakes the engine.
        patched.setattr(floor.engine, "_receive", lambda _timeout_s: next(turns))
        floor.engine.wake()  # ends the wait that was begun before
        wait_for(lambda: next(turns) > 9 and not floor.engine._is_awake)
        floor.clock.advance(timedelta(seconds=31))
        wait_for(lambda: floor.engine.health()["ok"] or next(turns) > 100_000)
    assert next(turns) <= 100_000


def test_an_unexpected_error_does_not_end_the_engine(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()

    def fail(*_: Any) -> None:
        failed.set()
        raise RuntimeError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr("basecamp.engines.embedded.dispatch.claim", fail)
        run_id = floor.queue()
        assert failed.wait(10)
        wait_for(lambda: not floor.engine.health()["ok"])
    floor.report(run_id)
    wait_for(lambda: floor.status(run_id) == "COMPLETED")
    assert floor.engine.health()["ok"]


def test_a_stop_between_claim_and_hand_over_reaches_the_worker_after_the_run(floor: Floor) -> None:
    first = floor.queue()
    link, message = floor.handed_over(first)
    floor.engine.interrupt([first])
    wait_for(lambda: link.told("interrupt"))
    assert [sent["op"] for sent in link.sent] == ["run", "interrupt"]
    assert link.told("interrupt")[0]["claim"] == message["claim"]


def test_a_template_that_takes_all_memory_costs_its_own_run_alone(floor: Floor) -> None:
    other = floor.queue("shop.sales.other")
    greedy = floor.queue("shop.sales.greedy", max_attempts=3)
    floor.handed_over(other)
    link, message = floor.handed_over(greedy)
    link.culprit = {"run_id": greedy, "claim": message["claim"]}
    link.end()
    wait_for(lambda: floor.status(greedy) == "FAILED")
    wait_for(lambda: len([sent for each in floor.links for sent in each.told("run")]) == 3)
    floor.report(other)
    wait_for(lambda: floor.status(other) == "COMPLETED")
    with floor.database.read() as tx:
        rows = {row.run_id: row for row in run.history(tx, run.RunFilter(), 9, 0)[0]}
    assert "more memory than a worker may use" in rows[greedy].error_message
    assert (rows[other].attempt, rows[other].crashes) == (1, 0)


def test_a_check_of_a_template_that_takes_all_memory_says_so(floor: Floor) -> None:
    answers: list[object] = []
    thread = floor.check_in_thread(answers)
    (message,) = wait_for(lambda: floor.links[0].told("ask"))
    floor.links[0].culprit = {"ask": message["id"]}
    floor.links[0].end()
    thread.join(5)
    (answer,) = answers
    assert isinstance(answer, CheckResult)
    assert (answer.ok, answer.code) == (False, "DLI-203")


def test_a_scheduler_that_does_not_look_at_its_clock_is_not_well(floor: Floor) -> None:
    wait_for(lambda: floor.engine.health()["ok"])
    floor.clock.advance(timedelta(seconds=29))
    assert floor.engine.health()["ok"]
    floor.clock.advance(timedelta(seconds=2))
    found = floor.engine.health()
    if found["tick_age_s"] > 30:  # it may have looked by itself just now
        assert (found["ok"], found["scheduler"]) == (False, "stopped")
    floor.engine.wake()
    wait_for(lambda: floor.engine.health()["ok"])
