"""Messages about runs reach their channels, or the log says why not."""

import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from dli_airflow.notifier import Notifier, unreachable
from inbox import Inbox, opened_inbox

TARGETS = [{"type": "pager", "channel": "#on call/1"}]


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    with opened_inbox() as inbox:
        monkeypatch.setenv("DLI_NOTIFY_PAGER", f"{inbox.url}/to/{{channel}}")
        yield inbox


class Instance:
    """A task instance that has left something behind, or cannot be asked."""

    def __init__(self, left: dict[str, object] | Exception) -> None:
        self.left = left

    def xcom_pull(self, *, task_ids: str, key: str) -> object:
        assert task_ids == "run"
        if isinstance(self.left, Exception):
            raise self.left
        return self.left.get(key)


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dli_airflow.notifier._STOP_S", 0.1)


def tell(event: str, left: object = None, result: object = None) -> None:
    notifier = Notifier.for_event(event, {event: TARGETS})
    assert notifier is not None
    dag = SimpleNamespace(dag_id="lake.mart.orders")
    found = left if isinstance(left, Exception) else {"dli_result": result, "dli_stopped": left}
    notifier({"dag": dag, "run_id": "run-1", "ti": Instance(found)})


def test_a_failure_is_told_with_run_and_reason(inbox: Inbox) -> None:
    tell("on_failure", result={"error_code": "DLI-405", "error_message": "no such table"})
    ((path, message),) = inbox.messages
    assert path == "/to/%23on%20call%2F1"
    assert message["title"] == "lake.mart.orders failed"
    assert message["message"] == "Run run-1. DLI-405: no such table"
    assert message["type"] == "failure"


@pytest.mark.parametrize("result", [None, "odd", {"error_code": None}])
@pytest.mark.parametrize("left", [None, RuntimeError("gone")])
def test_a_failure_without_a_reason_is_told_too(inbox: Inbox, left: object, result: object) -> None:
    tell("on_failure", left, result)
    ((_, message),) = inbox.messages
    assert message["message"] == "Run run-1. Its process ended before it could tell why."


def test_a_run_that_somebody_stopped_is_not_told(inbox: Inbox) -> None:
    tell("on_failure", left=True)
    assert inbox.messages == []


def test_a_success_is_told_with_its_rows(inbox: Inbox) -> None:
    tell("on_success", result={"rows_affected": 7, "error_code": None})
    ((_, message),) = inbox.messages
    assert message["title"] == "lake.mart.orders completed"
    assert message["message"] == "Run run-1. 7 rows."
    assert message["type"] == "success"


def test_nobody_wants_to_know_of_successes_here() -> None:
    assert Notifier.for_event("on_success", {"on_failure": TARGETS}) is None
    assert Notifier.for_event("on_success", {}) is None


def test_a_channel_that_refuses_is_a_warning_and_no_error(
    inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.status = 500
    with caplog.at_level(logging.WARNING, "dli_airflow.run"):
        tell("on_failure")
    assert "Nobody was told on pager #on call/1: the message was not taken" in caplog.text


@pytest.mark.parametrize(
    ("url", "reason"),
    [(None, "DLI_NOTIFY_PAGER is not set"), ("carrier-pigeon://x", "does not know this kind")],
)
def test_a_kind_that_nobody_can_reach_is_said_so(
    url: str | None,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("DLI_NOTIFY_PAGER", raising=False)
    if url is not None:
        monkeypatch.setenv("DLI_NOTIFY_PAGER", url)
    with caplog.at_level(logging.WARNING, "dli_airflow.run"):
        tell("on_failure")
    assert reason in caplog.text


def test_variables_that_are_not_set_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"on_failure": TARGETS, "on_success": [{"type": "hook", "channel": "x"}, *TARGETS]}
    monkeypatch.delenv("DLI_NOTIFY_PAGER", raising=False)
    monkeypatch.delenv("DLI_NOTIFY_HOOK", raising=False)
    assert unreachable(wanted) == ["DLI_NOTIFY_HOOK", "DLI_NOTIFY_PAGER"]
    monkeypatch.setenv("DLI_NOTIFY_PAGER", "json://localhost")
    assert unreachable(wanted) == ["DLI_NOTIFY_HOOK"]
    assert unreachable({}) == []
