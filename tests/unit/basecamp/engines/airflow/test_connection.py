"""What goes wrong between Basecamp and Airflow gets a name, and nothing is retried for ever."""

import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from basecamp.clock import SystemClock
from basecamp.engines.airflow import connection as connection_module
from basecamp.engines.airflow.circuit import Circuit
from basecamp.engines.airflow.connection import LINES, Access, Ask, Connection, TooLargeError
from basecamp.engines.airflow.fault import AirflowError, Reason
from stub_airflow import StubAirflow, answering

HEALTH = Ask("GET", "/api/v2/monitor/health")


def reason_of(call: Callable[[], object]) -> Reason:
    with pytest.raises(AirflowError) as refused:
        call()
    return refused.value.reason


def test_a_token_is_fetched_once_and_again_when_it_is_refused(
    airflow: StubAirflow, connection: Connection
) -> None:
    connection.call(HEALTH)
    connection.call(HEALTH)
    airflow.token = "token-2"
    assert connection.call(HEALTH).status == 200
    assert [path for _, path in airflow.asked].count("/auth/token") == 2


def test_f10_a_refused_account_is_tried_once_a_minute_at_most(
    airflow: StubAirflow, circuit: Circuit, clock: Any
) -> None:
    wrong = Connection(Access(airflow.url, "basecamp", "guess"), circuit, SystemClock())
    for _ in range(20):
        assert reason_of(lambda: wrong.call(HEALTH)) is Reason.AUTH
    assert len(airflow.asked) == 1
    clock.advance(timedelta(seconds=61))
    assert reason_of(lambda: wrong.call(HEALTH)) is Reason.AUTH
    assert len(airflow.asked) == 2
    wrong.close()


@pytest.mark.parametrize("status", [401, 403])
def test_a_given_token_that_is_refused_is_not_replaced(
    airflow: StubAirflow, circuit: Circuit, status: int
) -> None:
    airflow.fault = answering(status)
    with_token = Connection(Access(airflow.url, token="old"), circuit, SystemClock())
    assert reason_of(lambda: with_token.call(HEALTH)) is Reason.AUTH
    assert [path for _, path in airflow.asked] == ["/api/v2/monitor/health"]
    with_token.close()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_read_is_repeated_after_an_error_of_airflow(
    airflow: StubAirflow, connection: Connection, status: int
) -> None:
    connection.call(HEALTH)
    airflow.faults = [answering(status), answering(status)]
    assert connection.call(HEALTH, attempts=3).status == 200


@pytest.mark.parametrize("is_date", [False, True])
@pytest.mark.parametrize("status", [429, 503])
def test_f11_airflow_is_left_alone_as_long_as_it_asks(
    airflow: StubAirflow, connection: Connection, clock: Any, status: int, is_date: bool
) -> None:
    until = datetime.now(UTC) + timedelta(seconds=120)
    wish = format_datetime(until, usegmt=True) if is_date else "120"
    airflow.faults = [answering(status, Retry_After=wish)]
    assert reason_of(lambda: connection.call(HEALTH, attempts=3)) is Reason.FAILING
    asked = len(airflow.asked)
    with pytest.raises(AirflowError) as refused:
        connection.call(HEALTH, attempts=3)
    assert 60 <= refused.value.details["retry_after"] <= 120
    assert len(airflow.asked) == asked
    clock.advance(timedelta(seconds=121))
    assert connection.call(HEALTH).status == 200


def test_a_port_where_nobody_listens(circuit: Circuit) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    nobody = Connection(Access(f"http://127.0.0.1:{port}", "a", "b"), circuit, SystemClock())
    assert reason_of(lambda: nobody.call(HEALTH)) is Reason.UNREACHABLE


@pytest.mark.parametrize(
    "body",
    [b"<html>Bad gateway</html>", b"", b"\x80", b'{"a":', b"[" * 100_000],
    ids=["html", "empty", "bytes", "half", "deep"],
)
def test_an_answer_that_is_no_json(
    airflow: StubAirflow, connection: Connection, body: bytes
) -> None:
    connection.call(HEALTH)
    airflow.fault = answering(200, body, Content_Type="text/html")
    assert reason_of(lambda: connection.call(HEALTH, attempts=3)) is Reason.PROTOCOL


@pytest.mark.parametrize("body", [b'"text"', b'{"access_token": 7}', b"{}", b"null"])
def test_an_answer_without_token(airflow: StubAirflow, connection: Connection, body: bytes) -> None:
    airflow.fault = answering(201, body)
    assert reason_of(lambda: connection.call(HEALTH)) is Reason.PROTOCOL


def test_a_redirect_is_not_followed(airflow: StubAirflow, connection: Connection) -> None:
    connection.call(HEALTH)
    airflow.fault = answering(302, Location="http://127.0.0.1:1/elsewhere")
    assert reason_of(lambda: connection.call(HEALTH)) is Reason.PROTOCOL


def test_f12_an_answer_without_end_is_cut_off(airflow: StubAirflow, connection: Connection) -> None:
    connection.call(HEALTH)
    airflow.fault = _endless
    with pytest.raises(TooLargeError):
        connection.call(HEALTH)


def test_of_an_endless_log_the_whole_lines_are_taken(
    airflow: StubAirflow, connection: Connection
) -> None:
    connection.call(HEALTH)
    airflow.fault = _endless
    answer = connection.call(Ask("GET", "/api/v2/log", accept=LINES, is_cut=True))
    assert len(answer.body) > 1000
    assert set(answer.body) == {"line"}


def _endless(request: BaseHTTPRequestHandler) -> bool:
    """Twice the limit, under a length of 3 GB."""
    request.send_response(200)
    request.send_header("Content-Length", str(3 * 1024**3))
    request.end_headers()
    with suppress(OSError):
        request.wfile.write(b'"line"\n' * (2 * connection_module.BODY_LIMIT_BYTES // 7))
    request.close_connection = True
    return True


def test_an_answer_that_breaks_off(airflow: StubAirflow, connection: Connection) -> None:
    def half(request: BaseHTTPRequestHandler) -> bool:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b'{"a": ')
        request.close_connection = True
        return True

    connection.call(HEALTH)
    airflow.faults = [half]
    assert reason_of(lambda: connection.call(HEALTH)) is Reason.UNREACHABLE


def test_an_answer_that_drips_is_given_up(
    airflow: StubAirflow, circuit: Circuit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_TOTAL_S", 0.2)
    clock = SystemClock()

    def drip(request: BaseHTTPRequestHandler) -> bool:
        request.send_response(200)
        request.send_header("Content-Length", "1000000")
        request.end_headers()
        try:
            while True:
                request.wfile.write(b" ")
        except OSError:
            return True

    airflow.fault = drip
    with_token = Connection(Access(airflow.url, token="t"), circuit, clock)
    assert reason_of(lambda: with_token.call(HEALTH)) in (Reason.UNREACHABLE, Reason.PROTOCOL)
    with_token.close()


def test_no_message_names_the_account_or_repeats_an_answer(
    airflow: StubAirflow, circuit: Circuit
) -> None:
    canary = "canary-of-a-password"
    own = Connection(Access(airflow.url, canary, canary), circuit, SystemClock())
    airflow.fault = answering(500, canary.encode())
    with pytest.raises(AirflowError) as refused:
        own.call(HEALTH)
    assert canary not in f"{refused.value!r} {refused.value} {refused.value.details}"
    own.close()


def test_nothing_is_asked_any_more_once_the_server_ends(
    airflow: StubAirflow, connection: Connection
) -> None:
    connection.call(HEALTH)
    asked = len(airflow.asked)
    connection.close()
    assert reason_of(lambda: connection.call(HEALTH, attempts=3)) is Reason.UNREACHABLE
    assert len(airflow.asked) == asked
