"""What the client makes of servers and networks that misbehave."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from dli.client import transport
from dli.client.basecamp import BasecampClient
from dli.client.deadline import Deadline
from dli.client.response import ServerConfig
from dli.client.transport import HttpTransport

RUN = {"run_id": "r-1", "dataset_name": "a.b", "status": "PENDING"}
HTML = b"<html><body>Bad gateway</body></html>"


def test_a_call_is_one_request_with_identity_and_token(wire: Any, connected: Any) -> None:
    wire.script(wire.answers({"status": "ok"}))
    assert connected.client.health_check().data == {"status": "ok"}
    (request,) = wire.received
    assert (request.method, request.target) == ("GET", "/api/v1/health")
    assert request.headers["Authorization"] == "Bearer s3cret"
    assert request.headers["User-Agent"].startswith("dli/0.4.0 (")
    assert request.headers["Accept"] == "application/json, application/problem+json"
    assert "Idempotency-Key" not in request.headers


def test_one_connection_carries_many_calls(wire: Any, connected: Any) -> None:
    for _ in range(3):
        assert connected.client.health_check().success
    assert wire.connection_count == 1
    connected.client.close()
    assert connected.client.health_check().success
    assert wire.connection_count == 2


def test_every_change_has_a_key_of_its_own_that_its_retries_keep(wire: Any, connected: Any) -> None:
    busy = wire.problem(503, "DLI-504")
    wire.script(busy, busy, wire.answers(RUN, 202), wire.answers(RUN, 202))
    assert connected.client.workflow_run("a.b").success
    assert connected.client.workflow_run("a.b").success
    keys = [request.headers["Idempotency-Key"] for request in wire.received]
    assert len(keys) == 4
    assert keys[0] == keys[1] == keys[2] != keys[3]


def test_f20_a_reply_lost_after_the_server_accepted_is_asked_for_again_with_the_same_key(
    wire: Any, connected: Any
) -> None:
    wire.script(wire.drops(), wire.answers(RUN, 202))
    response = connected.client.workflow_run("a.b", {"day": "2025-01-01"})
    assert response.success
    assert response.data["run_id"] == "r-1"
    first, second = wire.received
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert first.body == second.body


def test_a_kept_connection_that_the_server_has_closed_costs_no_wait(
    wire: Any, connected: Any
) -> None:
    wire.script(wire.answers({}), wire.drops(), wire.answers({"status": "ok"}))
    connected.client.health_check()
    assert connected.client.health_check().data == {"status": "ok"}
    assert connected.waits == []


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_server_in_trouble_is_asked_three_times_with_growing_waits(
    wire: Any, connected: Any, status: int
) -> None:
    wire.script(wire.problem(status, "DLI-503", "later"))
    response = connected.client.workflow_status("r-1")
    assert (response.success, response.status_code, response.error) == (False, status, "later")
    assert len(wire.received) == 3
    first, second = connected.waits
    assert 0 < first < second


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_a_refusal_is_not_asked_again(wire: Any, connected: Any, status: int) -> None:
    wire.script(wire.problem(status, "DLI-801"))
    assert connected.client.workflow_run("a.b").status_code == status
    assert len(wire.received) == 1


def test_sql_that_has_reached_its_time_limit_is_not_asked_for_again(
    wire: Any, connected: Any
) -> None:
    wire.script(wire.problem(504, "DLI-402"))
    response = connected.client.run_dataset("a.b")
    assert (response.status_code, response.code) == (504, "DLI-402")
    assert len(wire.received) == 1


@pytest.mark.parametrize("status", [409, 429, 503])
def test_retry_after_is_obeyed(wire: Any, connected: Any, status: int) -> None:
    busy = wire.problem(status, "DLI-807", Retry_After="3")
    wire.script(busy, wire.answers(RUN, 202))
    assert connected.client.workflow_run("a.b").success
    assert connected.waits == [3.0]


def test_retry_after_may_be_a_date(wire: Any, connected: Any) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=4), usegmt=True)
    wire.script(wire.problem(503, "DLI-504", Retry_After=at), wire.answers(RUN, 202))
    assert connected.client.workflow_run("a.b").success
    assert 2 < connected.waits[0] <= 4


def test_a_retry_after_beyond_the_deadline_ends_the_call_at_once(wire: Any, connected: Any) -> None:
    wire.script(wire.problem(429, "DLI-503", "slow down", Retry_After="3600"))
    response = connected.client.workflow_run("a.b")
    assert (response.status_code, response.error) == (429, "slow down")
    assert connected.waits == []
    assert len(wire.received) == 1


@pytest.mark.parametrize("text", ["soon", "-1", "1e3", ""])
def test_a_retry_after_that_cannot_be_read_is_no_retry_after(
    wire: Any, connected: Any, text: str
) -> None:
    wire.script(wire.problem(409, "DLI-804", Retry_After=text))
    assert connected.client.workflow_run("a.b").status_code == 409
    assert len(wire.received) == 1


def test_nobody_listening_is_said_after_three_tries(connected: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    config = ServerConfig(url=f"http://127.0.0.1:{port}", api_key="s3cret")
    waits: list[float] = []
    client = BasecampClient(config)
    client._transport = HttpTransport(config, sleep=waits.append)
    response = client.workflow_run("a.b")
    assert (response.success, response.status_code, response.code) == (False, 503, "DLI-501")
    assert f"127.0.0.1:{port}" in (response.error or "")
    assert len(waits) == 2


def test_a_host_that_does_not_exist_is_no_connection() -> None:
    config = ServerConfig(url="http://no-such-host.invalid")
    client = BasecampClient(config)
    client._transport = HttpTransport(config, sleep=lambda _: None)
    response = client.health_check()
    assert (response.status_code, response.code) == (503, "DLI-501")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of a deadline takes a fifth of one."""
    monkeypatch.setattr(transport, "Deadline", lambda seconds: Deadline(seconds / 5))


@pytest.mark.usefixtures("hurried")
def test_a_server_that_hangs_is_a_timeout_and_the_call_is_not_repeated(wire: Any) -> None:
    wire.script(wire.hangs())
    client = BasecampClient(ServerConfig(url=wire.url, timeout=1))
    response = client.workflow_run("a.b")
    assert (response.success, response.status_code, response.code) == (False, 504, "DLI-402")
    assert len(wire.received) == 1


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    ],
    ids=["status line", "headers", "body"],
)
@pytest.mark.usefixtures("hurried")
def test_f21_a_server_that_drips_cannot_outlast_the_deadline(wire: Any, head: bytes) -> None:
    wire.script(wire.drips(head))
    client = BasecampClient(ServerConfig(url=wire.url, timeout=1))
    began_s = time.monotonic()
    response = client.health_check()
    assert time.monotonic() - began_s < 5
    assert (response.status_code, response.code) == (504, "DLI-402")


def test_waiting_for_a_run_extends_the_deadline_by_the_wait(
    wire: Any, connected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_s: list[float] = []

    def recorded(seconds: float) -> Deadline:
        given_s.append(seconds)
        return Deadline(seconds)

    monkeypatch.setattr(transport, "Deadline", recorded)
    wire.script(wire.answers({**RUN, "status": "COMPLETED"}))
    assert connected.client.workflow_status("r-1", wait=30).success
    assert wire.received[0].target == "/api/v1/workflows/runs/r-1?wait=30"
    assert connected.client.workflow_status("r-1").success
    assert given_s == [35, 5]


def test_an_answer_that_breaks_off_is_asked_for_again(wire: Any, connected: Any) -> None:
    cut = wire.drops(b'HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{"run_id": "r-')
    wire.script(cut, wire.answers(RUN, 202))
    assert connected.client.workflow_run("a.b").data["run_id"] == "r-1"
    wire.script(cut)
    response = connected.client.workflow_run("a.b")
    assert (response.status_code, response.code) == (503, "DLI-501")


def test_a_chunked_answer_and_one_that_ends_with_the_connection_are_read(
    wire: Any, connected: Any
) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    wire.script(lambda peer: peer.sendall(chunked), wire.drops(b"HTTP/1.1 200 OK\r\n\r\n{}"))
    assert connected.client.health_check().success
    assert connected.client.health_check().success


@pytest.mark.parametrize(
    "noise",
    [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x00\xff\x00", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200],
    ids=["other protocol", "binary", "too many headers"],
)
def test_what_is_not_http_is_no_connection(wire: Any, connected: Any, noise: bytes) -> None:
    wire.script(wire.drops(noise))
    response = connected.client.health_check()
    assert (response.success, response.status_code, response.code) == (False, 503, "DLI-501")


@pytest.mark.parametrize(
    "headers", [{}, {"Transfer-Encoding": "chunked"}], ids=["sized", "chunked"]
)
def test_an_answer_over_the_limit_is_a_failure(
    wire: Any, connected: Any, headers: dict[str, str]
) -> None:
    body = b'{"a": "' + b"x" * 20_000 + b'"}'
    if headers:
        chunks = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        wire.script(lambda peer: peer.sendall(head + chunks))
    else:
        wire.script(wire.answers(body))
    response = connected.client.health_check()
    assert (response.success, response.status_code, response.code) == (False, 502, "DLI-503")
    wire.script(wire.answers({}))
    assert connected.client.health_check().success


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(wire: Any, connected: Any, status: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0)
        target = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/"
        wire.script(wire.answers({}, status, {"Location": target}))
        response = connected.client.health_check()
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
    assert (response.success, response.status_code) == (False, status)
    assert len(wire.received) == 1


@pytest.mark.parametrize(
    "body",
    [HTML, b"", b"[]", b"null", b'"text"', b"{", b'{"a": NaN}', b"[" * 200_000, b"\xff\xfe"],
)
def test_an_answer_that_is_no_json_object_is_a_failure_of_the_server(
    wire: Any, connected: Any, body: bytes
) -> None:
    wire.script(wire.answers(body[:9_000]))
    response = connected.client.health_check()
    assert (response.success, response.status_code, response.code) == (False, 502, "DLI-503")
    assert response.error


def test_a_404_of_a_proxy_does_not_say_that_a_name_is_unknown(wire: Any, connected: Any) -> None:
    wire.script(wire.answers(HTML, 404))
    response = connected.client.workflow_get("a.b")
    assert (response.status_code, response.code) == (502, "DLI-503")


def test_a_token_or_url_that_cannot_be_sent_is_a_failure_and_not_an_exception() -> None:
    for config in (
        ServerConfig(url="http://127.0.0.1:1", api_key="two\nlines"),
        ServerConfig(url="ftp://127.0.0.1"),
        ServerConfig(url="http://user:secret@127.0.0.1"),
        ServerConfig(url="nonsense"),
        ServerConfig(url="http://"),
        ServerConfig(url="http://[::1"),
        ServerConfig(url="http://127.0.0.1:99999"),
    ):
        response = BasecampClient(config).workflow_list()
        assert (response.success, response.code) == (False, "DLI-001")
        assert "secret" not in (response.error or "")
        assert "lines" not in (response.error or "")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1}, b"bytes"])
def test_a_parameter_that_json_cannot_carry_is_refused_before_sending(
    wire: Any, connected: Any, value: object
) -> None:
    response = connected.client.workflow_run("a.b", {"value": value})
    assert (response.success, response.status_code, response.code) == (False, 422, "DLI-204")
    assert wire.received == []


@pytest.mark.parametrize("name", ["", ".", "..", "\ud800"])
def test_a_name_that_a_url_cannot_carry_is_refused_before_sending(
    wire: Any, connected: Any, name: str
) -> None:
    response = connected.client.workflow_unregister(name)
    assert (response.success, response.status_code, response.code) == (False, 422, "DLI-204")
    assert wire.received == []


@pytest.mark.parametrize("name", ["../admin", "a/b", "a?b=c", "a#b", "a b", "a%2e", "täble"])
def test_a_name_stays_one_segment_of_the_path(wire: Any, connected: Any, name: str) -> None:
    connected.client.workflow_get(name)
    (request,) = wire.received
    prefix, segment = request.target.rsplit("/", 1)
    assert prefix == "/api/v1/workflows"
    assert not set(segment) & set("?# /")


def test_a_base_path_of_the_url_is_kept(wire: Any) -> None:
    client = BasecampClient(ServerConfig(url=wire.url + "/basecamp/"))
    client.health_check()
    assert wire.received[0].target == "/basecamp/api/v1/health"


def test_separate_clients_work_in_separate_threads(wire: Any) -> None:
    wire.script(wire.answers(RUN))
    outcomes: list[bool] = []

    def work() -> None:
        with BasecampClient(ServerConfig(url=wire.url)) as client:
            outcomes.extend(client.workflow_status("r-1").success for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert outcomes == [True] * 160


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject]
    command = [openssl, "req", *options, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept_one() -> None:
            peer, _ = listener.accept()
            with peer, pytest.raises(ssl.SSLError):
                context.wrap_socket(peer, server_side=True)

        thread = threading.Thread(target=accept_one)
        thread.start()
        config = ServerConfig(url=f"https://localhost:{listener.getsockname()[1]}", api_key="t")
        response = BasecampClient(config).health_check()
        thread.join(20)
    assert (response.status_code, response.code) == (503, "DLI-501")
    assert "certificate" in (response.error or "")
