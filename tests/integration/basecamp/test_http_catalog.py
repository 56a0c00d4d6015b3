"""The catalog over HTTP on a real warehouse, and `CatalogAPI` and command line on it."""

import json
import socket
import threading
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from basecamp.engines.base import CheckResult
from basecamp.routes import record
from desk import answering
from dli.api.catalog import CatalogAPI
from dli.config import read_server_state
from dli.exceptions import DLIError, ErrorCode, ServerError
from dli.main import app
from dli.models.catalog import TableDetail
from dli.models.common import ExecutionContext
from dli.models.state import ExecutionMode, ResultStatus
from dli.specs.dataset import Statement
from dli.specs.project import Project
from dli.warehouse.connection import warehouse_of
from dli.warehouse.dataset import run_statements

TABLES, SEARCH = "/api/v1/catalog/tables", "/api/v1/catalog/search"
DEADLINE_S = 30.0
PEOPLE, ORDERS, TOP = "shop.sales.people", "shop.raw.orders", "shop.sales.top"
SPEC = {
    "name": PEOPLE,
    "owner": "ana@example.com",
    "team": "sales",
    "description": "Who paid",
    "tags": ["daily", "money"],
    "schema": [
        {"name": "Customer", "description": "full name", "pii": True},
        {"name": "paid"},
        {"name": "day", "partition": True},
    ],
    "pre_statements": [{"name": "first", "sql": "SELECT 1"}],
    "query_statement": f"INSERT INTO {PEOPLE} SELECT customer, amount FROM {ORDERS}",
}
READER = {
    "name": TOP,
    "owner": "bo@example.com",
    "team": "web",
    "query_statement": f"SELECT * FROM {PEOPLE}",
}


@pytest.fixture
def catalog(site: Any) -> Any:
    """A server on a project with one source and one table, whose dataset is scheduled."""
    root: Path = site.settings.project
    (root / "dli.yaml").write_text(f"sources: [{{table: {ORDERS}, path: orders.csv}}]")
    (root / "orders.csv").write_text("customer,amount,note\nana,3,\nbo,4,x\nana,5,\n,1,\n")
    sql = (
        f"CREATE TABLE {PEOPLE} AS SELECT customer, SUM(amount) AS paid, "
        f"DATE '2026-02-03' AS day FROM {ORDERS} GROUP BY customer"
    )
    with warehouse_of(Project.open(root)) as warehouse, warehouse.session() as session:
        statement = Statement("main", None, sql)
        assert run_statements(session, [statement], dialect="duckdb").success
    site.engine.asked = answering(root)
    site.engine.answer = CheckResult(ok=True, statements=["SELECT 1", "INSERT as it ran"])
    assert site.register(PEOPLE, spec=SPEC).status == 201
    assert site.post("/api/v1/datasets", {"spec": READER}).status == 201
    return site


@pytest.fixture
def api(catalog: Any) -> CatalogAPI:
    context = ExecutionContext(
        execution_mode=ExecutionMode.SERVER,
        server_url=f"http://127.0.0.1:{catalog.port}",
        api_token=catalog.basecamp.token,
        timeout=5,
    )
    return CatalogAPI(context)


def names(site: Any, path: str) -> list[str]:
    answer = site.get(path)
    assert answer.status == 200, answer.text
    record.TablePage.model_validate_json(answer.text)
    return [table["name"] for table in answer.body["tables"]]


def detail(site: Any, name: str = PEOPLE, query: str = "") -> dict[str, Any]:
    answer = site.get(f"{TABLES}/{name}{query}")
    assert answer.status == 200, answer.text
    body: dict[str, Any] = answer.body
    assert TableDetail.model_validate(body).model_dump(mode="json") == body
    return body


def test_tables_with_owner_rows_and_age(catalog: Any) -> None:
    orders, people = catalog.get(TABLES).body["tables"]
    assert (orders["name"], orders["row_count"], orders["owner"]) == (ORDERS, 4, None)
    assert (people["name"], people["row_count"], people["owner"]) == (PEOPLE, 3, SPEC["owner"])
    written_s = (catalog.settings.project / "orders.csv").stat().st_mtime
    assert datetime.fromisoformat(orders["last_updated"]).timestamp() == pytest.approx(written_s)
    assert people["last_updated"] == "2026-02-03T00:00:00Z"
    run_id = catalog.start_run(PEOPLE)
    catalog.end_run(run_id)
    finished_at = catalog.get(f"/api/v1/workflows/runs/{run_id}").body["finished_at"]
    people = catalog.get(f"{TABLES}?dataset=sales").body["tables"][0]
    assert people["last_updated"] == finished_at
    assert detail(catalog)["freshness"]["last_updated"] == finished_at


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [ORDERS, PEOPLE]),
        ("project=SHOP", [ORDERS, PEOPLE]),
        ("project=sho", []),
        ("dataset=Sales", [PEOPLE]),
        ("project=shop&dataset=raw", [ORDERS]),
        ("owner=ana@example.com", [PEOPLE]),
        ("owner=bo@example.com", []),
        ("team=sales", [PEOPLE]),
        ("tag=daily&tag=money", [PEOPLE]),
        ("tag=daily&tag=other", []),
        ("limit=1&offset=1", [PEOPLE]),
    ],
)
def test_lists_are_narrowed_by_every_parameter(catalog: Any, query: str, found: list[str]) -> None:
    assert names(catalog, f"{TABLES}?{query}") == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("keyword=FULL%20name", [PEOPLE]),
        ("keyword=note", [ORDERS]),
        ("keyword=money", [PEOPLE]),
        ("keyword=who%20paid", [PEOPLE]),
        ("keyword=shop&limit=1", [ORDERS]),
        ("keyword=shop&project=other", []),
        ("keyword=%25", []),
    ],
)
def test_search_looks_everywhere(catalog: Any, query: str, found: list[str]) -> None:
    assert names(catalog, f"{SEARCH}?{query}") == found


def test_pages_tell_how_many_there_are(catalog: Any) -> None:
    body = catalog.get(f"{TABLES}?limit=1").body
    assert (body["total_count"], body["next_offset"]) == (2, 1)
    body = catalog.get(f"{SEARCH}?keyword=shop&offset=1").body
    assert (body["total_count"], body["next_offset"]) == (2, None)


def test_what_is_known_of_one_table(catalog: Any) -> None:
    body = detail(catalog)
    customer, paid, day = body["columns"]
    assert (customer["name"], customer["is_pii"], paid["is_pii"]) == ("customer", True, False)
    assert (customer["description"], customer["data_type"]) == ("full name", "VARCHAR")
    assert (customer["fill_rate"], day["distinct_count"]) == (pytest.approx(2 / 3), 1)
    assert body["ownership"] == {
        "owner": "ana@example.com",
        "team": "sales",
        "stewards": [],
        "consumers": ["web"],
    }
    assert (body["impact"]["datasets"], body["impact"]["total_downstream"]) == ([TOP], 1)
    assert body["basecamp_url"] == f"http://127.0.0.1:{catalog.port}{TABLES}/{PEOPLE}"
    assert catalog.get(TABLES + body["basecamp_url"].partition(TABLES)[2]).status == 200
    assert body["sample_data"] is None
    assert detail(catalog, "SHOP.Sales.People") == body
    assert detail(catalog, ORDERS)["impact"]["datasets"] == [PEOPLE, TOP]


def test_rows_come_on_request_and_personal_values_never(catalog: Any) -> None:
    body = detail(catalog, query="?include_sample=true")
    assert sorted(row["paid"] for row in body["sample_data"]) == [1, 4, 8]
    assert {row["customer"] for row in body["sample_data"]} == {"***"}


def test_freshness_follows_runs_and_schedule(catalog: Any) -> None:
    fresh = detail(catalog)["freshness"]
    assert (fresh["last_updated"], fresh["is_stale"]) == ("2026-02-03T00:00:00Z", True)
    assert (fresh["update_frequency"], fresh["stale_threshold_hours"]) == ("daily", 36)
    catalog.end_run(catalog.start_run(PEOPLE))
    assert detail(catalog)["freshness"]["is_stale"] is False


def test_quality_comes_from_real_results(catalog: Any) -> None:
    spec = {
        "target": {"type": "dataset", "name": PEOPLE},
        "metadata": {"owner": "ana"},
        "tests": [
            {"name": "a", "type": "not_null", "columns": ["paid"]},
            {"name": "b", "type": "not_null", "columns": ["customer"]},
        ],
    }
    answer = catalog.post("/api/v1/quality/run", {"spec": spec})
    assert answer.status == 200, answer.text
    quality = detail(catalog)["quality"]
    assert (quality["score"], quality["total_tests"], quality["failed_tests"]) == (50, 2, 1)
    assert [one["test_name"] for one in quality["recent_tests"]] == ["a", "b"]


def test_sample_queries_are_what_runs_have_made(catalog: Any) -> None:
    queries = f"{TABLES}/{PEOPLE}/queries"
    assert catalog.get(queries).body == {"queries": []}
    catalog.end_run(catalog.start_run(PEOPLE))
    catalog.end_run(catalog.start_run(PEOPLE))
    answer = catalog.get(queries)
    record.SampleQueryRecord.model_validate_json(answer.text)
    (query,) = answer.body["queries"]
    assert (query["title"], query["sql"]) == (f"{PEOPLE} fills it", "INSERT as it ran")
    assert (query["author"], query["run_count"]) == ("ana@example.com", 2)
    assert detail(catalog)["sample_queries"] == [query]
    assert catalog.get(f"{queries}?limit=0").status == 422
    (read,) = catalog.get(f"{TABLES}/{ORDERS}/queries").body["queries"]
    assert read["title"] == f"{PEOPLE} reads it"
    catalog.engine.answer = CheckResult(ok=False, code="DLI-203", message="it has changed")
    assert catalog.get(queries).body == {"queries": []}


@pytest.mark.parametrize(
    ("ref", "status", "code"),
    [
        ("shop.sales.none", 404, "DLI-702"),
        (f"trino.{PEOPLE}", 404, "DLI-702"),
        ("shop.sales", 404, "DLI-702"),
        (f"mysql.{PEOPLE}", 422, "DLI-705"),
        ("a..b", 422, "DLI-703"),
    ],
)
def test_a_table_that_is_not_there(catalog: Any, ref: str, status: int, code: str) -> None:
    for path in (f"{TABLES}/{ref}", f"{TABLES}/{ref}/queries"):
        answer = catalog.get(path)
        assert (answer.status, answer.body["code"]) == (status, code)


def test_a_warehouse_that_another_program_holds_is_said(catalog: Any) -> None:
    def held(*_: object) -> dict[str, Any]:
        raise DLIError("The file of catalog shop is open", code=ErrorCode.CONNECTION_FAILED)

    catalog.engine.asked = held
    answer = catalog.get(TABLES)
    assert (answer.status, answer.body["code"]) == (503, "DLI-403")
    assert catalog.get(f"{SEARCH}?keyword=").status == 422


def test_a_caller_that_goes_away_ends_the_question(catalog: Any) -> None:
    asked, given_up = threading.Event(), threading.Event()

    def slow(_subject: str, _arguments: object, withdrawn: Future[None]) -> dict[str, Any]:
        asked.set()
        withdrawn.result(DEADLINE_S)
        given_up.set()
        raise ServerError("Nobody waits any more.", code=ErrorCode.SERVER_EXECUTION)

    catalog.engine.asked = slow
    head = f"GET {TABLES}/{PEOPLE} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: "
    with socket.create_connection(("127.0.0.1", catalog.port)) as line:
        line.sendall(f"{head}{catalog.basecamp.token}\r\n\r\n".encode())
        assert asked.wait(DEADLINE_S)
        assert not given_up.is_set()
    assert given_up.wait(DEADLINE_S)


def test_the_library_in_server_mode(api: CatalogAPI) -> None:
    assert [one.name for one in api.list_tables("shop.sales").tables] == [PEOPLE]
    cut = api.list_tables(limit=1)
    assert (len(cut.tables), cut.total_count, cut.has_more) == (1, 2, True)
    assert [one.name for one in api.list_tables(ORDERS).tables] == [ORDERS]
    assert api.list_tables(f"trino.{ORDERS}").tables == []
    found = api.get(PEOPLE, include_sample=True).table
    assert isinstance(found, TableDetail)
    assert (found.pii_column_count, len(found.sample_data or [])) == (1, 3)
    every: list[dict[str, Any]] = [{"owner": "ana@example.com"}, {"team": "sales"}]
    for wanted in (*every, {"tags": ["daily"]}):
        narrowed = api.list_tables(**wanted)
        assert ([one.name for one in narrowed.tables], narrowed.total_count) == ([PEOPLE], 1)
    assert api.search("note", project="other").tables == []
    assert "not found" in (api.get("shop.sales.none").error_message or "")
    result = api.search("note")
    assert ([one.name for one in result.tables], result.total_matches) == ([ORDERS], 1)


def test_the_command_line_in_server_mode(
    api: CatalogAPI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("DLI_EXECUTION_MODE", "server")
    monkeypatch.setenv("DLI_SERVER_URL", api.context.server_url or "")
    monkeypatch.setenv("DLI_API_TOKEN", api.context.api_token or "")

    def dli(*words: str) -> Any:
        done = CliRunner().invoke(app, [*words, "--format", "json"])  # type: ignore[arg-type]
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    assert [one["name"] for one in dli("catalog", "list", "--tag", "daily")] == [PEOPLE]
    assert dli("catalog", PEOPLE, "--section", "freshness")["update_frequency"] == "daily"
    assert [one["name"] for one in dli("catalog", "search", "note")] == [ORDERS]


def test_beside_a_basecamp_at_work_on_the_warehouse_the_local_catalog_answers(
    catalog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    root: Path = catalog.settings.project
    state = catalog.settings.state_dir / "basecamp.json"
    (root / ".dli" / "basecamp.json").write_text(state.read_text())
    assert read_server_state(root) is not None
    with warehouse_of(Project.open(root)) as warehouse, warehouse.session() as session:
        assert session.tables()  # as a run does: nobody else can have the files now

        def busy(subject: str, arguments: dict[str, Any], *_: object) -> dict[str, Any]:
            stored = next(one for one in session.tables() if one.name == PEOPLE)
            if subject == "catalog.sizes":
                return {"sizes": {PEOPLE: {"row_count": 3, "newest": None}}}
            columns = [{"name": one.name, "data_type": one.data_type} for one in stored.columns]
            names = {"catalog": "shop", "schema": "sales", "table": "people"}
            return {"tables": [{**names, "columns": columns}]}

        catalog.engine.asked = busy
        local = CatalogAPI(ExecutionContext(project_path=root))
        result = local.list_tables("shop.sales")
        assert result.error_message is None
        assert [(one.name, one.row_count) for one in result.tables] == [(PEOPLE, 3)]
        (root / ".dli" / "basecamp.json").unlink()
        alone = local.list_tables("shop.sales")
    assert (alone.status, (alone.error_message or "")[:9]) == (ResultStatus.FAILURE, "[DLI-403]")
