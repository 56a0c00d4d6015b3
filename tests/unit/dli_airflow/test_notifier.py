"""Messages about runs reach their channels, or the log says why not."""

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from dli_airflow.notifier import Notifier, address

pytestmark = pytest.mark.filterwarnings(
    "ignore:'imghdr' is deprecated:DeprecationWarning"  # a plugin of Apprise, on import
)

TARGETS = {"on_failure": [{"type": "pager", "channel": "#on call/1"}]}


class Inbox(HTTPServer):
    """Takes messages and keeps them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.status = 200


class _Answers(BaseHTTPRequestHandler):
    server: Inbox

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Requests are not worth a line."""


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    with Inbox() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"json://127.0.0.1:{server.server_port}/to/{{channel}}"
        monkeypatch.setenv("DLI_NOTIFY_PAGER", url)
        yield server
        server.shutdown()
        thread.join()


def tell(event: str, exception: Exception | None = None, *, is_killed: bool = False) -> None:
    notifier = Notifier.for_event(event, TARGETS)
    assert notifier is not None
    notifier(
        {
            "dag_run": SimpleNamespace(dag_id="lake.mart.orders", run_id="run-1"),
            "task": SimpleNamespace(is_killed=is_killed),
            "exception": exception,
        }
    )


def test_a_failure_is_told_with_run_and_reason(inbox: Inbox) -> None:
    tell("on_failure", ValueError("DLI-405: no such table"))
    ((path, message),) = inbox.messages
    assert path == "/to/%23on%20call%2F1"
    assert message["title"] == "lake.mart.orders failed"
    assert "run-1" in message["message"]
    assert "DLI-405: no such table" in message["message"]


def test_a_run_that_somebody_stopped_is_not_told(inbox: Inbox) -> None:
    tell("on_failure", ValueError("stopped"), is_killed=True)
    assert inbox.messages == []


def test_nobody_wants_to_know_of_successes_here() -> None:
    assert Notifier.for_event("on_success", TARGETS) is None
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


def test_a_channel_cannot_lead_a_message_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLI_NOTIFY_HOOK", "jsons://example.com/{channel}?method=post")
    assert address("hook", "a@b?c=d&e/../f") == (
        "jsons://example.com/a%40b%3Fc%3Dd%26e%2F..%2Ff?method=post"
    )
    assert address("ho-ok", "x") is None
    assert address("hook\n", "x") is None
