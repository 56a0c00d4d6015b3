"""`QualityAPI` and the command line in SERVER mode, on a server that runs tests."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dli.api.quality import QualityAPI
from dli.api.server import connect
from dli.exceptions import (
    DLIValidationError,
    ErrorCode,
    QualitySpecParseError,
    QualityTargetNotFoundError,
    ServerError,
)
from dli.main import app
from dli.models.common import ExecutionContext
from dli.models.dq import DqStatus
from dli.models.state import ExecutionMode

TABLE, OTHER = "qc.shop.orders", "qc.shop.refunds"
FILE = f"quality/quality.{TABLE}.yaml"
FILL = """CREATE OR REPLACE TABLE qc.shop.orders AS
SELECT n AS id FROM UNNEST(SEQUENCE(1, 10)) AS t(n)"""
TESTS = """
tests:
  - {name: unique_id, type: unique, columns: [id]}
  - {name: small_id, type: singular, file: small.sql, params: {most: 9}}
  - {name: later, type: row_count, min: 99, enabled: false}
"""


def text(target: str, tests: str = TESTS) -> str:
    return f"target: {{type: dataset, name: {target}}}\nmetadata: {{owner: ana}}{tests}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "quality").mkdir(parents=True)
    (root / "dli.yaml").write_text("{}\n")
    (root / FILE).write_text(text(TABLE))
    (root / "quality" / "small.sql").write_text("SELECT * FROM {{ target }} WHERE id > {{ most }}")
    return root


@pytest.fixture(scope="module")
def shop(working_site: Any) -> Any:
    spec = {"name": TABLE, "owner": "ana", "team": "sales", "query_statement": FILL}
    assert working_site.post("/api/v1/datasets", {"spec": spec}).status == 201
    assert working_site.post(f"/api/v1/datasets/{TABLE}/run", {}).body["status"] == "success"
    return working_site


@pytest.fixture
def context(shop: Any, project: Path) -> ExecutionContext:
    return ExecutionContext(
        project_path=project,
        execution_mode=ExecutionMode.SERVER,
        server_url=f"http://127.0.0.1:{shop.port}",
        api_token=shop.basecamp.token,
    )


@pytest.fixture
def api(context: ExecutionContext) -> QualityAPI:
    """Its one file is registered."""
    made = QualityAPI(context)
    made.register(FILE, force=True)
    return made


def test_a_file_runs_on_the_server(api: QualityAPI) -> None:
    result = api.run(FILE)
    assert [one["status"] for one in result.test_results] == ["pass", "fail", "skipped"]
    assert (result.status, result.execution_mode) == (DqStatus.FAIL, "server")
    assert result.execution_id
    small = result.test_results[1]
    assert (small["failed_samples"], small["executed_on"]) == ([{"id": 10}], "server")
    assert small.keys() == result.test_results[0].keys()


def test_tests_and_parameters_are_chosen(api: QualityAPI) -> None:
    chosen = api.run(FILE, tests=["small_id"], parameters={"most": 10})
    assert [(one["test_name"], one["status"]) for one in chosen.test_results] == [
        ("small_id", "pass")
    ]
    api.context.parameters = {"most": 10, "not_declared": 1}
    assert api.run(FILE, fail_fast=True).status is DqStatus.PASS


def test_what_the_server_refuses_is_raised_as_here(api: QualityAPI, project: Path) -> None:
    with pytest.raises(DLIValidationError) as unknown:
        api.run(FILE, parameters={"nix": 1})
    assert unknown.value.code is ErrorCode.PARAMETER_INVALID
    (project / FILE).write_text(text("qc.shop.nowhere"))
    with pytest.raises(QualityTargetNotFoundError) as missing:
        api.run(FILE)
    assert missing.value.target_urn == "dataset:qc.shop.nowhere"
    (project / "quality" / "small.sql").unlink()
    with pytest.raises(DLIValidationError, match="small_id"):
        api.run(FILE)
    (project / FILE).write_text("tests: 1")
    with pytest.raises(QualitySpecParseError):
        api.run(FILE)


def test_registered_tests_are_listed(api: QualityAPI, project: Path) -> None:
    names = [info.name for info in api.list_qualities(target_name="qc.shop.ord")]
    assert names == ["unique_id", "small_id", "later"]
    assert [info.name for info in api.list_qualities("dataset", "qc.", "disabled")] == ["later"]
    assert api.list_qualities("metric") == []
    (project / FILE).unlink()
    found = api.get("small_id")
    assert found is not None
    assert (found.target_name, found.test_type) == (TABLE, "singular")
    assert api.get("no_such_test") is None


def test_the_last_results_come_from_the_server(api: QualityAPI) -> None:
    api.run(FILE, tests=["small_id"])
    found = api.get("small_id")
    assert found is not None
    assert found.last_status is DqStatus.FAIL
    newest = api.get_history("small_id")[0]
    assert (newest["status"], newest["failed_rows"]) == ("fail", 1)
    assert api.get_history("no_such_test") == []


def test_a_spec_is_registered_by_the_name_of_its_file(api: QualityAPI, project: Path) -> None:
    with pytest.raises(ServerError) as refused:
        api.register(FILE)
    assert (refused.value.status_code, refused.value.code.value) == (409, "DLI-201")
    (project / "extra.yaml").write_text(text(OTHER, "\ntests: [{name: x, type: row_count}]"))
    api.register("extra.yaml", force=True)
    assert [info.target_name for info in api.list_qualities(target_name=OTHER)] == [OTHER]
    with connect(api.context) as client:
        whole = client.run_registered_quality(TABLE, {"most": 10})
    assert whole.success
    assert isinstance(whole.data, dict)
    assert len(whole.data["test_results"]) == 3


def test_local_mode_registers_with_the_basecamp_of_the_project(
    context: ExecutionContext, project: Path
) -> None:
    local = context.model_copy(update={"execution_mode": ExecutionMode.LOCAL})
    one_test = "\ntests: [{name: by_hand, type: row_count, min: 1}]"
    (project / FILE).write_text(text("qc.hand.made", one_test))
    QualityAPI(local).register(FILE, name="qc.hand.named", force=True)
    (project / FILE).write_text("tests: 1")
    assert QualityAPI(local).list_qualities() == []
    assert [q.name for q in QualityAPI(context).list_qualities(target_name="qc.hand")] == [
        "by_hand"
    ]


def test_the_command_line(api: QualityAPI, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("DLI_EXECUTION_MODE", "server")
    monkeypatch.setenv("DLI_SERVER_URL", str(api.context.server_url))
    monkeypatch.setenv("DLI_API_TOKEN", str(api.context.api_token))

    def dli(*words: str) -> Result:
        return CliRunner().invoke(app, words)  # type: ignore[arg-type]

    assert "is registered" in dli("quality", "register", FILE, "--force").stdout
    assert dli("quality", "register", FILE, "--name", TABLE, "-f").exit_code == 0
    again = dli("quality", "register", FILE)
    assert (again.exit_code, again.stderr[:17]) == (1, "Error [DLI-201]: ")
    assert "use force" in again.stderr
    failed = dli("quality", "run", FILE, "--samples")
    assert (failed.exit_code, failed.stderr[:17]) == (1, "Error [DLI-604]: ")
    assert "small_id" in failed.stdout
    passed = dli("quality", "run", FILE, "--mode", "server", "-P", "most=10", "-f", "json")
    assert passed.exit_code == 0
    assert json.loads(passed.stdout)["status"] == "pass"
    listed = json.loads(dli("quality", "list", "--target", TABLE, "-f", "json").stdout)
    assert {one["name"] for one in listed} == {"unique_id", "small_id", "later"}
    shown = dli("quality", "get", "small_id", "--include-history", "-f", "json")
    assert json.loads(shown.stdout)["history"][0]["status"] == "pass"
    unknown = dli("quality", "get", "small_di")
    assert unknown.exit_code == 1
    assert "small_id" in unknown.stderr
