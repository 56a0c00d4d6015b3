"""The graph of everything registered over HTTP, and `LineageAPI` and command line on it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from basecamp.routes import record
from desk import answering
from dli.api.lineage import LineageAPI
from dli.exceptions import DatasetNotFoundError, DLIError, ErrorCode, ServerError
from dli.main import app
from dli.models.common import ExecutionContext
from dli.models.state import ExecutionMode

LINEAGE = "/api/v1/lineage"
DAILY, WEEKLY, TOTAL, ORDERS = "s.m.daily", "s.m.weekly", "s.m.total", "s.raw.orders"
SETTINGS = f"""
sources: [{{table: {ORDERS}, path: o.csv}}]
environments: {{dev: {{variables: {{area: raw}}}}}}
"""


def spec(name: str, sql: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "owner": "ana", "team": "sales", "query_statement": sql, **more}


@pytest.fixture
def lineage(site: Any) -> Any:
    """A server that knows a chain of two datasets and a metric, and counts what it asks."""
    root = site.settings.project
    (root / "dli.yaml").write_text(SETTINGS)
    answer = answering(root)
    site.questions = []

    def asked(subject: str, arguments: dict[str, Any], *_: object) -> dict[str, Any]:
        if subject == "lineage.tables":
            site.questions.append([one["name"] for one in arguments["specs"]])
        return answer(subject, arguments)

    site.engine.asked = asked
    daily = spec(DAILY, "INSERT INTO s.m.daily SELECT a FROM s.{{ var('area') }}.orders")
    site.register(DAILY, spec=daily)
    weekly = spec(WEEKLY, "SELECT a FROM s.m.daily", depends_on=["s.m.calendar"], tags=["x"])
    site.post("/api/v1/datasets", {"spec": weekly})
    total = spec(TOTAL, "SELECT SUM(a) FROM s.m.weekly")
    site.post("/api/v1/metrics", {"spec": total})
    return site


@pytest.fixture
def api(lineage: Any) -> LineageAPI:
    context = ExecutionContext(
        execution_mode=ExecutionMode.SERVER,
        server_url=f"http://127.0.0.1:{lineage.port}",
        api_token=lineage.basecamp.token,
        timeout=5,
    )
    return LineageAPI(context)


def around(site: Any, name: str, query: str = "") -> dict[str, int]:
    answer = site.get(f"{LINEAGE}/{name}{query}")
    assert answer.status == 200, answer.text
    record.LineageRecord.model_validate_json(answer.text)
    return {node["name"]: node["depth"] for node in answer.body["nodes"]}


def test_both_sides_of_a_registered_dataset(lineage: Any) -> None:
    both = {ORDERS: -1, WEEKLY: 1, TOTAL: 2}
    assert around(lineage, DAILY) == both
    body = lineage.get(f"{LINEAGE}/{WEEKLY}").body
    assert body["root"]["tags"] == ["x"]
    kinds = {node["name"]: node["type"] for node in body["nodes"]}
    assert kinds == {
        DAILY: "Dataset",
        ORDERS: "Source",
        "s.m.calendar": "Table",
        TOTAL: "Metric",
    }
    edges = {(edge["source"], edge["target"]): edge["edge_type"] for edge in body["edges"]}
    assert edges["s.m.calendar", WEEKLY] == "declared"
    assert (body["total_upstream"], body["total_downstream"]) == (3, 1)


def test_direction_and_depth(lineage: Any) -> None:
    assert around(lineage, DAILY, "?direction=upstream") == {ORDERS: -1}
    assert around(lineage, DAILY, "?direction=downstream&depth=1") == {WEEKLY: 1}
    assert around(lineage, ORDERS, "?depth=0") == {}
    for query, status in (("direction=up", 422), ("depth=-2", 422), ("depth=x", 400)):
        assert lineage.get(f"{LINEAGE}/{DAILY}?{query}").status == status
    unknown = lineage.get(f"{LINEAGE}/s.m.none")
    assert (unknown.status, unknown.body["code"]) == (404, "DLI-101")


def test_each_spec_is_read_once_and_again_when_it_or_a_variable_has_changed(lineage: Any) -> None:
    around(lineage, DAILY)
    assert sorted(name for batch in lineage.questions for name in batch) == [DAILY, TOTAL, WEEKLY]
    lineage.questions.clear()
    around(lineage, TOTAL)
    assert lineage.questions == []
    other = {"spec": spec(WEEKLY, "SELECT a FROM s.m.other"), "force": True}
    lineage.post("/api/v1/datasets", other)
    assert around(lineage, DAILY) == {ORDERS: -1}
    assert lineage.questions == [[WEEKLY]]
    file: Path = lineage.settings.project / "dli.yaml"
    file.write_text(SETTINGS.replace("area: raw", "area: cooked"))
    assert around(lineage, DAILY) == {"s.cooked.orders": -1}


def test_a_template_that_breaks_the_worker_costs_only_its_own_links(lineage: Any) -> None:
    answer = lineage.engine.asked

    def greedy(subject: str, arguments: dict[str, Any], *more: object) -> dict[str, Any]:
        if any(one["name"] == WEEKLY for one in arguments["specs"]):
            raise DLIError("template: it needs more memory", code=ErrorCode.SPEC_INVALID)
        return dict(answer(subject, arguments, *more))

    lineage.engine.asked = greedy
    assert around(lineage, DAILY) == {ORDERS: -1}
    assert around(lineage, WEEKLY) == {"s.m.calendar": -1, TOTAL: 1}


def test_columns_come_from_specs_and_from_what_is_stored(lineage: Any, api: LineageAPI) -> None:
    root: Path = lineage.settings.project
    (root / "o.csv").write_text("a,b\n1,2\n")
    answer = lineage.get(f"{LINEAGE}/{TOTAL}/columns")
    assert answer.status == 200, answer.text
    record.ColumnLineageRecord.model_validate_json(answer.text)
    assert answer.body == {"name": TOTAL, "columns": {"_col0": [f"{WEEKLY}.a"]}}
    star = spec("s.m.star", f"INSERT INTO s.m.star SELECT * FROM {ORDERS}")
    lineage.post("/api/v1/datasets", {"spec": star})
    assert api.get_columns("s.m.star") == {"a": [f"{ORDERS}.a"], "b": [f"{ORDERS}.b"]}
    declared = {**star, "schema": [{"name": "x"}, {"name": "y"}]}
    lineage.post("/api/v1/datasets", {"spec": declared, "force": True})
    assert api.get_columns("s.m.star") == {"x": [f"{ORDERS}.a"], "y": [f"{ORDERS}.b"]}
    unknown = lineage.get(f"{LINEAGE}/{ORDERS}/columns")
    assert (unknown.status, unknown.body["code"]) == (404, "DLI-101")
    with pytest.raises(DatasetNotFoundError):
        api.get_columns("s.m.none")


def test_an_engine_that_is_away_is_said(lineage: Any, api: LineageAPI) -> None:
    def away(*_: object) -> dict[str, Any]:
        raise ServerError("The engine did not answer in time.", code=ErrorCode.SERVER_EXECUTION)

    lineage.engine.asked = away
    answer = lineage.get(f"{LINEAGE}/{DAILY}")
    assert (answer.status, answer.body["code"]) == (503, "DLI-504")
    with pytest.raises(ServerError, match="DLI-504"):
        api.get(DAILY)


def test_the_library_and_the_command_line_in_server_mode(
    api: LineageAPI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = api.get(WEEKLY, direction="upstream", depth=1)
    assert {node.name for node in result.upstream_nodes} == {DAILY, "s.m.calendar"}
    assert (result.max_depth, result.root.owner) == (1, "ana")
    with pytest.raises(DatasetNotFoundError):
        api.get("s.m.none")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("DLI_EXECUTION_MODE", "server")
    monkeypatch.setenv("DLI_SERVER_URL", api.context.server_url or "")
    monkeypatch.setenv("DLI_API_TOKEN", api.context.api_token or "")
    words = ["lineage", "downstream", ORDERS, "--format", "json"]
    done = CliRunner().invoke(app, words)  # type: ignore[arg-type]
    assert {node["name"] for node in json.loads(done.stdout)["nodes"]} == {DAILY, WEEKLY, TOTAL}
