"""Every refusal is one problem with the status and code of the contract, and echoes nothing."""

import json
from typing import Any
from urllib.parse import unquote

import pytest

from basecamp.engines.base import CheckResult
from basecamp.routes.answer import Problem

NAME = "shop.sales.daily"
WORKFLOWS = "/api/v1/workflows"
REGISTER = f"{WORKFLOWS}/register"
CANARY = "Canary7Value"


def check(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status, answer.body["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["status"] == status
    assert answer.body["request_id"] == answer.headers["x-request-id"]
    Problem.model_validate_json(answer.text)
    for word in (CANARY, "Traceback", "SELECT", ".py"):
        assert word not in answer.text
    body: dict[str, Any] = answer.body
    return body


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", f"/{CANARY}", None, 404, "DLI-201"),
        ("GET", f"{WORKFLOWS}/{CANARY}.none", None, 404, "DLI-800"),
        ("GET", f"{WORKFLOWS}/runs/{CANARY}", None, 404, "DLI-800"),
        ("GET", f"{WORKFLOWS}/runs/{CANARY}/logs", None, 404, "DLI-800"),
        ("POST", f"{WORKFLOWS}/runs/{CANARY}/stop", {}, 404, "DLI-800"),
        ("DELETE", f"{WORKFLOWS}/{CANARY}.none", None, 404, "DLI-800"),
        ("POST", f"{WORKFLOWS}/{CANARY}.none/run", {}, 404, "DLI-800"),
        ("POST", f"{WORKFLOWS}/{CANARY}.none/pause", {}, 404, "DLI-800"),
        ("POST", f"{WORKFLOWS}/{CANARY}.none/unpause", {}, 404, "DLI-800"),
        ("POST", REGISTER, {"dataset_name": "no.such", "cron": "0 6 * * *"}, 404, "DLI-101"),
        ("PUT", WORKFLOWS, None, 405, "DLI-201"),
        ("PATCH", f"{WORKFLOWS}/b.manual", {}, 405, "DLI-201"),
        ("DELETE", f"{WORKFLOWS}/a.code", None, 403, "DLI-803"),
        ("POST", f"{WORKFLOWS}/b.manual/unpause", {}, 409, "DLI-807"),
        ("GET", f"{WORKFLOWS}?limit=0", None, 422, "DLI-204"),
        ("GET", f"{WORKFLOWS}?limit=501", None, 422, "DLI-204"),
        ("GET", f"{WORKFLOWS}?offset=-1", None, 422, "DLI-204"),
        ("GET", f"{WORKFLOWS}?status={CANARY}", None, 422, "DLI-204"),
        ("GET", f"{WORKFLOWS}/history?start_date=2026-02-30", None, 422, "DLI-204"),
        ("GET", f"{WORKFLOWS}/history?start_date=2026-W01-1", None, 422, "DLI-204"),
        ("GET", f"{WORKFLOWS}/runs/x?wait=31", None, 422, "DLI-204"),
        ("GET", f"{WORKFLOWS}?limit={CANARY}", None, 400, "DLI-201"),
        ("GET", f"{WORKFLOWS}?limit=1_0", None, 400, "DLI-201"),
        ("GET", f"{WORKFLOWS}?limit=%D9%A1", None, 400, "DLI-201"),
        ("GET", f"{WORKFLOWS}?limit=", None, 400, "DLI-201"),
        ("GET", f"{WORKFLOWS}?running=yes", None, 400, "DLI-201"),
        ("GET", f"{WORKFLOWS}?{CANARY}=1", None, 400, "DLI-201"),
        ("GET", f"{WORKFLOWS}?limit=1&limit=2", None, 400, "DLI-201"),
        ("GET", f"{WORKFLOWS}?dataset=%ff", None, 400, "DLI-201"),
        ("GET", f"{WORKFLOWS}?dataset=%00", None, 400, "DLI-201"),
        ("GET", f"{WORKFLOWS}?" + "&".join(f"q{n}" for n in range(101)), None, 400, "DLI-201"),
        ("GET", f"{WORKFLOWS}/b.manual?verbose=1", None, 400, "DLI-201"),
        ("POST", f"{WORKFLOWS}/b.manual/run?dry_run=1", {}, 400, "DLI-201"),
        ("POST", f"{WORKFLOWS}/b.manual/backfill", {}, 400, "DLI-201"),
        ("DELETE", f"{WORKFLOWS}/b.manual", {"force": True}, 400, "DLI-201"),
        ("GET", WORKFLOWS, {}, 400, "DLI-201"),
    ],
)
def test_requests_are_refused(
    shared_site: Any, method: str, path: str, body: object, status: int, code: str
) -> None:
    check(shared_site.request(method, path, body), status, code)


SPEC = {"name": "c.new", "owner": "ana", "team": "t", "query_statement": "SELECT 1"}


def registration(**changes: Any) -> dict[str, Any]:
    return {"dataset_name": "c.new", "cron": "0 6 * * *", "spec": SPEC, **changes}


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"dataset_name": "a.code", "spec": None}, 403, "DLI-803"),
        ({"dataset_name": "a.code", "spec": None, "force": True}, 403, "DLI-803"),
        ({"dataset_name": "b.manual", "spec": None}, 409, "DLI-804"),
        ({"cron": "61 * * * *"}, 422, "DLI-805"),
        ({"cron": "@daily"}, 422, "DLI-805"),
        ({"cron": CANARY}, 422, "DLI-805"),
        ({"timezone": f"Mars/{CANARY}"}, 422, "DLI-805"),
        ({"retry_max_attempts": 0}, 422, "DLI-204"),
        ({"retry_delay_seconds": -1}, 422, "DLI-204"),
        ({"dataset_name": "d.other"}, 422, "DLI-801"),
        ({"spec": {"name": "c.new"}}, 422, "DLI-203"),
        ({"dataset_name": "solo", "spec": {**SPEC, "name": "solo"}}, 422, "DLI-203"),
        ({CANARY: 1}, 400, "DLI-201"),
        ({"cron": 5}, 400, "DLI-201"),
        ({"enabled": "true"}, 400, "DLI-201"),
        ({"enabled": 1}, 400, "DLI-201"),
        ({"retry_max_attempts": "3"}, 400, "DLI-201"),
        ({"retry_max_attempts": 3.0}, 400, "DLI-201"),
        ({"retry_max_attempts": True}, 400, "DLI-201"),
        ({"spec": []}, 400, "DLI-201"),
        ({"cron": None}, 400, "DLI-201"),
    ],
)
def test_registrations_are_refused(
    shared_site: Any, changes: dict[str, Any], status: int, code: str
) -> None:
    check(shared_site.post(REGISTER, registration(**changes)), status, code)
    assert shared_site.get(WORKFLOWS).body["total_count"] == 2


@pytest.mark.parametrize(
    ("action", "body", "status", "code"),
    [
        ("run", {"parameters": {CANARY: 1}}, 422, "DLI-204"),
        ("run", {"parameters": []}, 400, "DLI-201"),
        ("run", {"parameters": {"ds": "2026-13-01"}}, 422, "DLI-204"),
        ("run", {"source_type": CANARY}, 422, "DLI-204"),
        ("backfill", {"start_date": "2026-01-02", "end_date": "2026-01-01"}, 422, "DLI-204"),
        ("backfill", {"start_date": "2026-W01-1", "end_date": "2026-01-03"}, 422, "DLI-204"),
        ("backfill", {"start_date": "2026-1-2", "end_date": "2026-01-03"}, 422, "DLI-204"),
        ("backfill", {"start_date": "2010-01-01", "end_date": "2026-01-01"}, 422, "DLI-204"),
        ("backfill", {"start_date": 20260101, "end_date": "2026-01-01"}, 400, "DLI-201"),
        ("pause", {"reason": "x" * 501}, 422, "DLI-204"),
        ("pause", {"until": "tomorrow"}, 422, "DLI-204"),
        ("pause", {"until": "2100-01-01T00:00:00"}, 422, "DLI-204"),
        ("pause", {"until": "2000-01-01T00:00:00Z"}, 422, "DLI-204"),
        ("pause", {"until": 5}, 400, "DLI-201"),
    ],
)
def test_actions_are_refused(
    shared_site: Any, action: str, body: dict[str, Any], status: int, code: str
) -> None:
    check(shared_site.post(f"{WORKFLOWS}/b.manual/{action}", body), status, code)


def test_an_overridden_workflow_refuses_what_the_table_says(site: Any) -> None:
    site.register("a.one")
    site.publish("a.one")
    manual = {"source_type": "manual"}
    days = {"start_date": "2026-01-01", "end_date": "2026-01-01"}
    check(site.post(f"{WORKFLOWS}/a.one/run", manual), 409, "DLI-806")
    check(site.post(f"{WORKFLOWS}/a.one/backfill", {**days, **manual}), 409, "DLI-806")
    check(site.post(f"{WORKFLOWS}/a.one/unpause", manual), 403, "DLI-806")
    check(site.post(f"{WORKFLOWS}/a.one/unpause"), 403, "DLI-806")


@pytest.mark.parametrize(("code", "status"), [("DLI-202", 422), ("DLI-203", 422), ("DLI-204", 422)])
def test_what_a_check_finds_is_answered_with_its_code(site: Any, code: str, status: int) -> None:
    site.register()
    site.engine.answer = CheckResult(ok=False, code=code, message="It is wrong.")
    check(site.post(f"{WORKFLOWS}/{NAME}/run", {"dry_run": True}), status, code)
    check(site.publish("a.one"), status, code)
    assert site.get(WORKFLOWS).body["total_count"] == 1


@pytest.mark.parametrize(
    ("headers", "data", "status"),
    [
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=1", 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--", 415),
        ({"Content-Type": "application/json; charset=latin-1"}, b"{}", 415),
        ({"Content-Type": "application/merge-patch+json"}, b"{}", 415),
        ({"Content-Encoding": "gzip"}, b"{}", 415),
        ({"Content-Type": "application/json; charset=UTF-8"}, b"{}", 400),
        ({}, b"{" + b" " * 1024 * 1024 + b"}", 413),
    ],
)
def test_type_and_size_of_a_body(
    shared_site: Any, headers: dict[str, str], data: bytes, status: int
) -> None:
    check(shared_site.post(REGISTER, data, headers=headers), status, "DLI-201")


def test_f36_a_body_is_cut_off_while_it_streams(shared_site: Any) -> None:
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    head = (
        f"POST {REGISTER} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {shared_site.basecamp.token}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()
    assert shared_site.raw(head + chunk * 17).startswith(b"HTTP/1.1 413 ")


def test_a_stranger_cannot_make_the_server_read_a_body(shared_site: Any) -> None:
    answer = shared_site.post(REGISTER, b" " * 2_000_000, token=None)
    check(answer, 401, "DLI-502")


def test_publishing_takes_larger_bodies(shared_site: Any) -> None:
    padded = json.dumps({"specs": [], "dry_run": True}).encode() + b" " * 2 * 1024 * 1024
    assert shared_site.post(f"{WORKFLOWS}/publish", padded).status == 200


BAD_VALUES = [
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b'"\\ud800"',
    b'{"\\udfff": 1}',
    b'"a\\u0000b"',
    b"9223372036854775808",
    b"-9223372036854775809000",
    b"9" * 5000,
    b'{"a": 1, "a": 1}',
    b"[" * 200_000 + b"]" * 200_000,
    b'{"a":' * 100 + b"1" + b"}" * 100,
    b"'a'",
    b"01",
    b'"\xff"',
    b"",
    b"1} {",
]


@pytest.mark.parametrize("value", BAD_VALUES, ids=range(len(BAD_VALUES)))
def test_f29_treacherous_values_are_refused(shared_site: Any, value: bytes) -> None:
    """A value that came through would be an undeclared parameter: 422, not 400."""
    path = f"{WORKFLOWS}/b.manual/run"
    check(shared_site.post(path, b'{"parameters": {"p": ' + value + b"}}"), 400, "DLI-201")
    check(shared_site.post(path, b'{"parameters": {"p": 1}}'), 422, "DLI-204")


BAD_BODIES = [
    b'{"reason": "a", "reason": "b"}',
    b"[]",
    b'"text"',
    b"null",
    b"1",
    b"{",
    b"{}{}",
    b"\xef\xbb\xbf{}",
    "{}".encode("utf-16"),
    b"\x00",
    b" ",
]


@pytest.mark.parametrize("data", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_bodies_that_are_no_json_object_are_refused(shared_site: Any, data: bytes) -> None:
    check(shared_site.post(f"{WORKFLOWS}/b.manual/pause", data), 400, "DLI-201")
    assert shared_site.get(f"{WORKFLOWS}/b.manual").body["status"] == "active"


TRICKS = [
    *("..%2f..%2fetc%2fpasswd", "%2e%2e%2f", "%2e%2e%5c", "%2F", "%252f", "%c0%af", "%ff%fe"),
    *("%00", "%0a", "%0d%0aX-Evil:1", "%09", "%1b%5b31m", "%7f", "%20", "%E2%80%A8"),
    *("%E2%80%AE", "%EF%BB%BF", "%EF%BD%81", "%D0%B0", "%C3%A9", "%F0%9F%98%80", "%D9%A1"),
    *("*", "'--", "%22", "%3C%3E", "%7B%7B7*7%7D%7D", "$%7B7*7%7D", "%25n", ";", ":", "@", "~"),
    *("-", "+", "=", "!", "(", ")", ",", "|", "%60", "%5E", "%5B", "%5D", "%23", "%3F", "%3D"),
]
NAMES = [
    *(
        name
        for trick in TRICKS
        for name in (f"{trick}a.b", f"a{trick}.b", f"a.{trick}b", f"a.b.{trick}")
    ),
    *("a..b", ".a.b", "a.b.", "...", "CON", "NUL", ".git", "solo", "a." + "x" * 10_000, "-a.b"),
    *("a.-b", "_", "0"),
]


@pytest.mark.parametrize("action", ["", "/run", "/pause", "/unpause", "/backfill"])
def test_f30_names_that_are_none_are_unknown(shared_site: Any, action: str) -> None:
    days = {"start_date": "2026-01-01", "end_date": "2026-01-01"}
    assert len(NAMES) >= 200
    for name in NAMES:
        answer = shared_site.request(
            "POST" if action else "GET",
            f"{WORKFLOWS}/{name}{action}",
            days if action == "/backfill" else None,
        )
        check(answer, 404, "DLI-800")
        assert "49" not in answer.body["detail"]
        assert "x-evil" not in answer.headers


def test_an_encoded_slash_does_not_lead_to_another_route(site: Any) -> None:
    site.register()
    run_id = site.start_run()
    check(site.post(f"{WORKFLOWS}/runs%2F{run_id}/stop"), 404, "DLI-800")
    assert site.get(f"{WORKFLOWS}/runs/{run_id}").body["status"] == "PENDING"


def test_no_such_name_can_be_registered(shared_site: Any) -> None:
    for name in {unquote(name, errors="replace") for name in NAMES} - {"a-.b", "a.b.0"}:
        body = {"dataset_name": name, "cron": "0 6 * * *", "spec": {**SPEC, "name": name}}
        answer = shared_site.post(REGISTER, body)
        assert answer.status in (400, 422), name
        assert answer.body["code"] in ("DLI-201", "DLI-203"), name


def test_a_store_that_fails_is_a_503_with_retry_after(site: Any) -> None:
    site.basecamp.database.close()
    (site.settings.state_dir / "basecamp.db").write_bytes(b"x" * 8192)
    for path in (site.settings.state_dir).glob("basecamp.db-*"):
        path.unlink()
    answer = site.get(WORKFLOWS)
    check(answer, 503, "DLI-504")
    assert int(answer.headers["retry-after"]) > 0
    check(site.get("/readyz"), 503, "DLI-504")
    assert site.get("/livez").status == 200


def test_a_defect_is_a_500_that_tells_nothing(
    site: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(site.basecamp.site.workflows, "list", broken)
    answer = site.get(WORKFLOWS)
    check(answer, 500, "DLI-503")
    site.wait_until(lambda: "request.failed" in caplog.messages)
