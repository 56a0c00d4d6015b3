"""A connection that dawdles or pours is closed; the others do not notice."""

import http.client
import socket
import time
from contextlib import suppress
from typing import Any

import pytest

from basecamp import protocol


def closed_within(line: socket.socket, seconds: float) -> bytes:
    """What the server still sends before it closes; fails when it does not."""
    line.settimeout(seconds)
    told = b""
    with suppress(ConnectionResetError):  # it closed with bytes of ours still unread
        while part := line.recv(65536):
            told += part
    return told


@pytest.fixture
def impatient(site: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(protocol, "_HEAD_SECONDS", 0.3)
    return site


def connect(site: Any) -> socket.socket:
    return socket.create_connection(("127.0.0.1", site.port), timeout=10)


@pytest.mark.parametrize("sent", [b"", b"G", b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"])
def test_f37_a_head_that_does_not_come_is_not_waited_for(impatient: Any, sent: bytes) -> None:
    with connect(impatient) as line:
        line.sendall(sent)
        assert closed_within(line, 5) == b""


def test_a_second_head_has_no_more_time_than_the_first(impatient: Any) -> None:
    with connect(impatient) as line:
        line.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        told = b""
        while not told.endswith(b"}"):
            told += line.recv(65536)
        line.sendall(b"\r\nGET /li")
        assert closed_within(line, 4) == b""


def ask_without_reading(site: Any) -> socket.socket:
    """A request for an answer larger than the kernel takes in for a client that does not read."""
    site.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", site.port))
    token = site.basecamp.token.encode()
    line.sendall(
        b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\nX-API-Key: " + token + b"\r\n\r\n"
    )
    return line


def test_an_answer_that_nobody_takes_is_given_up(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "_ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(protocol, "_HEAD_SECONDS", 60.0)
    connections = site._server.server_state.connections
    with ask_without_reading(site):
        site.wait_until(lambda: connections)
        site.wait_until(lambda: not connections)
    assert site.get("/livez").status == 200


def test_an_answer_that_is_taken_slowly_comes_whole(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "_ANSWER_SECONDS", 0.01)
    monkeypatch.setattr(protocol, "_ANSWER_MIN_BYTES", 0)
    with ask_without_reading(site) as line:
        answer = http.client.HTTPResponse(line)
        answer.begin()
        body = b"".join(iter(lambda: answer.read(1024), b""))
    assert len(body) == int(answer.headers["content-length"])


def test_a_sender_that_leaves_is_no_defect(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with connect(site) as line:
        line.sendall(
            b"POST /api/v1/workflows/register HTTP/1.1\r\nHost: localhost\r\n"
            b"X-API-Key: " + site.basecamp.token.encode() + b"\r\n"
            b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
    site.wait_until(lambda: any(vars(r).get("status") == 400 for r in caplog.records))
    assert "request.failed" not in caplog.messages


def test_a_slow_answer_is_no_slow_head(impatient: Any) -> None:
    impatient.register()
    run_id = impatient.start_run()
    began_at = time.monotonic()
    answer = impatient.get(f"/api/v1/workflows/runs/{run_id}?wait=1")
    assert answer.status == 200
    assert time.monotonic() - began_at >= 1


def test_an_endless_head_is_cut_off(site: Any) -> None:
    with connect(site) as line:
        line.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n")
        line.sendall(b"X-Filler: " + b"a" * 70_000)
        assert closed_within(line, 5).startswith(b"HTTP/1.1 431 ")
    assert site.get("/livez").status == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00",
        b"POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /livez HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_bad_request(site: Any, head: bytes) -> None:
    with connect(site) as line:
        line.sendall(head)
        assert closed_within(line, 5).startswith(b"HTTP/1.1 400 ")
    assert site.get("/livez").status == 200


HIDDEN = b"0\r\n\r\nGET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "doubtful",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding: xchunked",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: +5",
        b"Content-Length: 5, 5",
        b"Content-Length:\n 5",
    ],
)
def test_f38_a_request_whose_end_is_in_doubt_hides_no_second_one(
    site: Any, doubtful: bytes
) -> None:
    with connect(site) as line:
        line.sendall(b"POST /livez HTTP/1.1\r\nHost: localhost\r\n" + doubtful + b"\r\n\r\n")
        line.sendall(HIDDEN)
        told = closed_within(line, 5)
    assert told.startswith(b"HTTP/1.1 400 ")
    assert told.count(b"HTTP/1.1 ") == 1
