"""Datasets, metrics and statements that are run over HTTP, on a real engine."""

import contextlib
import json
import socket
import threading
from concurrent.futures import Future
from typing import Any

import pytest
from pydantic import BaseModel

from basecamp.routes import record, vigil
from basecamp.store import audit

SALES, BAD, GATED = "shop.sales.daily", "shop.sales.bad", "shop.sales.gated"
TOTAL = "shop.sales.total"
RUN = f"/api/v1/datasets/{SALES}/run"
HEAD = {"owner": "ana@example.com", "team": "sales"}
FILL = """
INSERT INTO shop.sales.daily
SELECT DATE '{{ ds }}', n FROM UNNEST(SEQUENCE(1, {{ rows }})) AS t(n)
"""
MARK = "UPDATE shop.sales.daily SET n = 100 WHERE day = DATE '{{ ds }}' AND n = 1"
SPECS: list[dict[str, Any]] = [
    {
        "name": SALES,
        "parameters": [{"name": "rows", "type": "integer", "required": False, "default": 3}],
        "pre_statements": [
            {
                "name": "table",
                "sql": "CREATE TABLE IF NOT EXISTS shop.sales.daily (day DATE, n BIGINT)",
            },
            {"name": "again", "sql": "DELETE FROM shop.sales.daily WHERE day = DATE '{{ ds }}'"},
        ],
        "query_statement": FILL,
        "post_statements": [{"name": "mark", "sql": MARK}],
    },
    {"name": BAD, "query_statement": "SELECT nix FROM shop.sales.daily"},
    {
        "name": GATED,
        "pre_statements": [{"name": "t", "sql": "CREATE TABLE shop.sales.gated (n BIGINT)"}],
        "query_statement": "INSERT INTO shop.sales.gated VALUES (1)",
        "quality": {
            "gate": True,
            "tests": [{"name": "two_rows", "type": "row_count", "min": 2}],
        },
    },
]
METRIC = {
    "name": TOTAL,
    "query_statement": "SELECT * FROM shop.sales.daily ORDER BY day, n",
    "metrics": [{"name": "rows", "aggregation": "count", "expression": "*"}],
    "dimensions": [{"name": "day", "expression": "day"}],
}


@pytest.fixture(scope="module")
def shop(working_site: Any) -> Any:
    """Registered specs, and one day in the table."""
    for spec in SPECS:
        assert working_site.post("/api/v1/datasets", {"spec": HEAD | spec}).status == 201
    assert working_site.post("/api/v1/metrics", {"spec": HEAD | METRIC}).status == 201
    run(working_site, parameters={"ds": "2026-01-01"})
    return working_site


def run(site: Any, name: str = SALES, **body: Any) -> dict[str, Any]:
    answer = site.post(f"/api/v1/datasets/{name}/run", body)
    return check(answer, record.DatasetRunRecord)


def check(answer: Any, model: type[BaseModel], status: int = 200) -> dict[str, Any]:
    assert answer.status == status, answer.text
    model.model_validate_json(answer.text)
    body: dict[str, Any] = answer.body
    return body


def sql(site: Any, text: str, **more: Any) -> dict[str, Any]:
    return check(site.post("/api/v1/sql/run", {"sql": text, **more}), record.SqlRunRecord)


def count(site: Any, where: str) -> int:
    found = sql(site, f"SELECT COUNT(*) AS n FROM shop.sales.daily WHERE {where}")
    return int(found["data"][0]["n"])


def test_a_dataset_runs_and_the_answer_says_what_it_did(shop: Any) -> None:
    done = run(shop, parameters={"ds": "2026-02-01", "rows": 5})
    assert (done["status"], done["rows_affected"], done["name"]) == ("success", 5, SALES)
    assert "DATE '2026-02-01'" in done["sql"]
    run(shop, parameters={"ds": "2026-02-01", "rows": 4})
    assert count(shop, "day = DATE '2026-02-01'") == 4
    with shop.basecamp.database.read() as tx:
        trail = audit.of_resource(tx, SALES)
    assert [row["action"] for row in trail][-2:] == ["dataset.run"] * 2


def test_a_dataset_that_only_reads_affects_no_rows(shop: Any) -> None:
    spec = HEAD | {"name": "shop.sales.read", "query_statement": "SELECT * FROM range(3)"}
    assert shop.post("/api/v1/datasets", {"spec": spec}).status == 201
    done = run(shop, "shop.sales.read")
    assert (done["status"], done["rows_affected"]) == ("success", None)


def test_a_dry_run_binds_and_changes_nothing(shop: Any) -> None:
    done = run(shop, parameters={"ds": "2026-03-01"}, dry_run=True)
    assert (done["status"], done["rows_affected"]) == ("success", None)
    assert count(shop, "day = DATE '2026-03-01'") == 0
    failed = run(shop, BAD, dry_run=True)
    assert failed["status"] == "failure"
    assert "nix" in failed["error_message"]


def test_statements_that_are_skipped_do_not_run(shop: Any) -> None:
    run(shop, parameters={"ds": "2026-04-01"})
    run(shop, parameters={"ds": "2026-04-01"}, skip_pre=True, skip_post=True)
    assert count(shop, "day = DATE '2026-04-01'") == 6
    assert count(shop, "day = DATE '2026-04-01' AND n = 100") == 1


def test_sql_that_the_engine_refuses_is_an_answer(shop: Any) -> None:
    failed = run(shop, BAD)
    assert (failed["status"], failed["rows_affected"]) == ("failure", None)
    assert failed["error_code"] == "DLI-405"
    assert "nix" in failed["error_message"]


def test_a_quality_gate_decides_here_too(shop: Any) -> None:
    failed = run(shop, GATED)
    assert failed["status"] == "failure"
    assert "two_rows" in failed["error_message"]
    missing = sql(shop, "SELECT * FROM shop.sales.gated")
    assert "does not exist" in missing["error_message"]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("datasets/no.such/run", {}, 404, "DLI-101"),
        ("metrics/no.such/run", {}, 404, "DLI-102"),
        (f"datasets/{SALES}/run", {"parameters": {"nix": 1}}, 422, "DLI-204"),
        (f"datasets/{SALES}/run", {"parameters": {"rows": "x"}}, 422, "DLI-204"),
        (f"datasets/{SALES}/run", {"nix": 1}, 400, "DLI-201"),
        (f"metrics/{TOTAL}/run", {"by": ["nix"]}, 422, "DLI-204"),
        (f"metrics/{TOTAL}/run", {"limit": 10_001}, 422, "DLI-204"),
        ("sql/run", {"sql": "SELEC 1"}, 422, "DLI-202"),
        ("sql/run", {"sql": "SELECT {{ nix }}"}, 422, "DLI-203"),
        ("sql/run", {"sql": "SELECT 1", "dialect": "nix"}, 422, "DLI-204"),
        ("sql/run", {"sql": "SELECT * FROM a.b.c", "strict": True}, 422, "DLI-301"),
        ("sql/run", {}, 400, "DLI-201"),
    ],
)
def test_what_cannot_begin_is_refused(
    shop: Any, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = shop.post(f"/api/v1/{path}", body)
    assert (answer.status, answer.body["code"]) == (status, code), answer.text


def test_a_repeated_request_gets_the_first_answer(shop: Any) -> None:
    headers = {"Idempotency-Key": "k1"}
    body = {"parameters": {"ds": "2026-05-01"}}
    path = f"/api/v1/datasets/{SALES}/run"
    first = shop.post(path, body, headers=headers)
    again = shop.post(path, body, headers=headers)
    assert again.body == first.body
    assert again.headers["idempotency-replayed"] == "true"
    other = shop.post(path, {}, headers=headers)
    assert (other.status, other.body["code"]) == (422, "DLI-204")


def test_a_metric_gives_its_rows(shop: Any) -> None:
    answer = shop.post(f"/api/v1/metrics/{TOTAL}/run", {"limit": 2})
    found = check(answer, record.MetricRunRecord)
    assert found["columns"] == ["day", "n"]
    assert found["data"][0] == {"day": "2026-01-01", "n": 2}
    assert (found["row_count"], found["has_more"]) == (2, True)
    by_day = check(
        shop.post(f"/api/v1/metrics/{TOTAL}/run", {"by": ["day"], "metrics": ["rows"]}),
        record.MetricRunRecord,
    )
    assert by_day["data"][0] == {"day": "2026-01-01", "rows": 3}
    assert not by_day["has_more"]
    dry = check(
        shop.post(f"/api/v1/metrics/{TOTAL}/run", {"dry_run": True}), record.MetricRunRecord
    )
    assert (dry["status"], dry["data"]) == ("success", None)
    assert "ORDER BY" in dry["sql"]


def test_a_statement_gives_its_rows_in_its_dialect(shop: Any) -> None:
    found = sql(shop, "SELECT {{ a }} AS a, 7 / 2 AS b", parameters={"a": 5}, dialect="trino")
    assert (found["columns"], found["data"]) == (["a", "b"], [{"a": 5, "b": 3}])
    assert found["name"] == "<inline>"
    dry = sql(shop, "SELECT nix FROM shop.sales.daily", dry_run=True)
    assert (dry["status"], dry["data"]) == ("failure", None)


def test_the_rules_of_the_project_apply_to_a_statement(shop: Any) -> None:
    rule = "{id: r, type: table_substitution, source: old.sales.daily, target: shop.sales.daily}"
    settings = shop.settings.project / "dli.yaml"
    settings.write_text(f"transpile: {{rules: [{rule}]}}\n")
    text = "SELECT n FROM old.sales.daily LIMIT 1"
    assert "FROM shop.sales.daily" in sql(shop, text)["sql"]
    assert sql(shop, text, transpile=False)["status"] == "failure"
    assert sql(shop, text, strict=True)["status"] == "success"


ENDLESS = (
    "SELECT COUNT(*) FROM UNNEST(SEQUENCE(1, 1000000)) AS a(x)"
    " CROSS JOIN UNNEST(SEQUENCE(1, 1000000)) AS b(y) WHERE x * y % 7919 = 13"
)


@pytest.mark.parametrize("noun", ["dataset", "metric"])
def test_sql_ends_at_the_time_limit_of_its_spec(shop: Any, noun: str) -> None:
    name = f"shop.sales.slow_{noun}"
    spec = {**HEAD, "name": name, "query_statement": ENDLESS, "execution": {"timeout_seconds": 1}}
    assert shop.post(f"/api/v1/{noun}s", {"spec": spec}).status == 201
    answer = shop.post(f"/api/v1/{noun}s/{name}/run", {})
    assert (answer.status, answer.body["code"]) == (504, "DLI-402"), answer.text


def test_a_caller_that_goes_takes_its_sql_along(shop: Any) -> None:
    questions = shop.basecamp.engine._questions
    with send(shop, "k9", "/api/v1/sql/run", {"sql": ENDLESS}):
        shop.wait_until(lambda: any(one.is_sent for one in list(questions._open.values())))
    shop.wait_until(lambda: len(questions) == 0)
    assert sql(shop, "SELECT 1 AS a")["data"] == [{"a": 1}]


class Patient:
    """A question that is answered when the test says so, or when its caller goes."""

    def __init__(self) -> None:
        self.is_asked = threading.Event()
        self.is_answered = threading.Event()
        self.has_gone = threading.Event()

    def __call__(self, _subject: str, _arguments: object, withdrawn: Any) -> dict[str, Any]:
        assert isinstance(withdrawn, Future)
        withdrawn.add_done_callback(lambda _: self.has_gone.set())
        withdrawn.add_done_callback(lambda _: self.is_answered.set())
        self.is_asked.set()
        self.is_answered.wait(10)
        return {"name": SALES}


@pytest.fixture
def patient(site: Any) -> Patient:
    site.post("/api/v1/datasets", {"spec": HEAD | SPECS[0]})
    site.engine.asked = Patient()
    return site.engine.asked  # type: ignore[no-any-return]


def send(site: Any, key: str, path: str = RUN, body: object = None) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", site.port), timeout=10)
    data = json.dumps(body or {})
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(data)}\r\n"
        f"Authorization: Bearer {site.basecamp.token}\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: {key}\r\n\r\n{data}"
    )
    line.sendall(head.encode())
    return line


def test_the_work_of_a_caller_that_goes_is_ended(site: Any, patient: Patient) -> None:
    with send(site, "k1"):
        assert patient.is_asked.wait(10)
        assert not patient.has_gone.is_set()
    assert patient.has_gone.wait(10)


def test_a_repetition_of_what_is_under_way_is_told_to_wait(site: Any, patient: Patient) -> None:
    with send(site, "k2") as line:
        assert patient.is_asked.wait(10)
        path = f"/api/v1/datasets/{SALES}/run"
        early = site.post(path, {}, headers={"Idempotency-Key": "k2"})
        assert (early.status, early.body["code"]) == (409, "DLI-807")
        assert int(early.headers["retry-after"]) > 0
        patient.is_answered.set()
        assert b"200 OK" in line.recv(65536)
    late = site.post(path, {}, headers={"Idempotency-Key": "k2"})
    assert (late.status, late.body) == (200, {"name": SALES})


def test_no_more_work_is_begun_than_there_are_places(
    site: Any, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vigil, "_PLACES", 1)
    with send(site, "k3"):
        assert patient.is_asked.wait(10)
        refused = site.post("/api/v1/sql/run", {"sql": "SELECT 1"})
        assert (refused.status, refused.body["code"]) == (503, "DLI-504")
        assert "retry-after" in refused.headers


def test_a_server_that_ends_waits_for_no_work(site: Any, patient: Patient) -> None:
    with send(site, "k4") as line, contextlib.suppress(OSError):
        assert patient.is_asked.wait(10)
        site.basecamp.retire()
        assert patient.has_gone.is_set()
        assert line.recv(65536)
