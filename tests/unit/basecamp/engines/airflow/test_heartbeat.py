"""A part counts as working when it was heard after its own start, whatever Airflow says."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from basecamp.engines.airflow.heartbeat import silent_parts
from basecamp.engines.airflow.process import Birth

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
BIRTH = Birth(1, "mark", NOW)
PARTS = {"api-server": BIRTH, "scheduler": BIRTH, "dag-processor": BIRTH}


class Answers(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Requests are not worth a line."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def health(scheduler: datetime | None = AFTER, processor: datetime = AFTER) -> bytes:
    beat = scheduler.isoformat() if scheduler else None
    return json.dumps(
        {
            "metadatabase": {"status": "healthy"},
            "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": beat},
            "dag_processor": {
                "status": "healthy",
                "latest_dag_processor_heartbeat": processor.isoformat(),
            },
            "triggerer": {"status": None, "latest_triggerer_heartbeat": None},
        }
    ).encode()


@pytest.mark.parametrize(
    ("body", "silent"),
    [
        (health(), []),
        (health(scheduler=BEFORE), ["scheduler"]),
        (health(scheduler=None), ["scheduler"]),
        (health(processor=BEFORE), ["dag-processor"]),
        (health().replace(b'"status": "healthy", "latest_s', b'"status": "bad", "latest_s'), None),
        (b"<html>", sorted(PARTS)),
        (b"[]", sorted(PARTS)),
    ],
)
def test_parts_that_were_not_heard_since_their_start_are_named(
    url: str, body: bytes, silent: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answers, "body", body)
    assert silent_parts(url, PARTS) == (["scheduler"] if silent is None else silent)


def test_a_part_that_does_not_run_is_silent(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answers, "body", health())
    assert silent_parts(url, PARTS | {"scheduler": None}) == ["scheduler"]


def test_all_are_silent_when_nobody_answers() -> None:
    assert silent_parts("http://127.0.0.1:1", PARTS) == sorted(PARTS)
