"""The rules of the server's project over HTTP, and `TranspileAPI` and command line on them."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from basecamp.routes import record
from dli.api.transpile import TranspileAPI
from dli.exceptions import ServerError
from dli.main import app
from dli.models.common import ExecutionContext, TranspileRule
from dli.models.state import ExecutionMode

RULES, METRICS = "/api/v1/transpile/rules", "/api/v1/transpile/metrics"
SETTINGS = """
transpile:
  rules:
    - {id: low, type: table_substitution, source: raw.clicks, target: new.clicks, priority: 1}
    - {id: high, type: table_substitution, source: raw.events, target: new.events, priority: 9}
    - {id: off, type: table_substitution, source: raw.old, target: new.old, enabled: false}
    - {id: paid, type: metric_expansion, source: paid, target: SUM(amount)}
  metrics:
    - {name: share, expression: AVG(a), source_table: s.m.daily, description: How many}
    - {name: paid, expression: SUM(other)}
"""
SQL = "SELECT METRIC(Share) FROM raw.events LIMIT 1"


@pytest.fixture
def api(site: Any) -> TranspileAPI:
    (site.settings.project / "dli.yaml").write_text(SETTINGS)
    context = ExecutionContext(
        execution_mode=ExecutionMode.SERVER,
        server_url=f"http://127.0.0.1:{site.port}",
        api_token=site.basecamp.token,
    )
    return TranspileAPI(context)


def test_rules_come_with_the_highest_priority_first_and_a_version(
    site: Any, api: TranspileAPI
) -> None:
    answer = site.get(RULES)
    assert answer.status == 200
    record.RuleSetRecord.model_validate_json(answer.text)
    assert [rule["id"] for rule in answer.body["rules"]] == ["high", "low", "off", "paid"]
    version = answer.body["version"]
    assert site.get(RULES).body["version"] == version
    file = site.settings.project / "dli.yaml"
    file.write_text(SETTINGS.replace("new.clicks", "newer.clicks"))
    assert site.get(RULES).body["version"] != version
    assert api.get_rules()[1].target_table == "newer.clicks"


def test_a_metric_by_name_rules_before_definitions(site: Any, api: TranspileAPI) -> None:
    answer = site.get(f"{METRICS}/share")
    assert answer.status == 200
    record.MetricExpressionRecord.model_validate_json(answer.text)
    assert answer.body == {
        "name": "share",
        "expression": "AVG(a)",
        "source_table": "s.m.daily",
        "description": "How many",
    }
    assert site.get(f"{METRICS}/PAID").body["expression"] == "SUM(amount)"
    unknown = site.get(f"{METRICS}/none")
    assert (unknown.status, unknown.body["code"]) == (404, "DLI-102")


def test_sql_is_rewritten_by_the_rules_of_the_server(api: TranspileAPI) -> None:
    done = api.transpile(SQL)
    assert done.transpiled_sql == "SELECT (AVG(a)) FROM new.events LIMIT 1"
    assert [rule.source_table for rule in done.applied_rules] == ["share", "raw.events"]
    ruled = api.transpile("SELECT METRIC(paid) FROM raw.old LIMIT 1")
    assert ruled.transpiled_sql == "SELECT (SUM(amount)) FROM raw.old LIMIT 1"
    only_tables = api.transpile(SQL, expand_metrics=False)
    assert only_tables.transpiled_sql == "SELECT METRIC(Share) FROM new.events LIMIT 1"
    unknown = api.transpile("SELECT METRIC(none) FROM t LIMIT 1")
    assert (unknown.has_changes, unknown.warnings[0].rule) == (False, "metric_error")
    assert api.get_rules() == [
        TranspileRule(source_table="raw.events", target_table="new.events", priority=9),
        TranspileRule(source_table="raw.clicks", target_table="new.clicks", priority=1),
        TranspileRule(source_table="raw.old", target_table="new.old", enabled=False),
    ]


def test_the_command_line_asks_the_server_in_server_mode(
    api: TranspileAPI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("DLI_EXECUTION_MODE", "server")
    monkeypatch.setenv("DLI_SERVER_URL", api.context.server_url or "")
    monkeypatch.setenv("DLI_API_TOKEN", api.context.api_token or "")
    done = CliRunner().invoke(app, ["transpile", SQL, "--show-rules"])  # type: ignore[arg-type]
    assert done.stdout == "SELECT (AVG(a)) FROM new.events LIMIT 1\n"
    assert "Rule: raw.events -> new.events" in done.stderr


def test_a_project_without_settings_has_no_rules_and_with_bad_ones_says_so(site: Any) -> None:
    assert site.get(RULES).body["rules"] == []
    assert site.get(f"{METRICS}/share").status == 404
    (site.settings.project / "dli.yaml").write_text("transpile: [secret]")
    answer = site.get(RULES)
    assert (answer.status, answer.body["code"]) == (503, "DLI-504")
    assert "secret" not in answer.text
    context = ExecutionContext(
        execution_mode=ExecutionMode.SERVER,
        server_url=f"http://127.0.0.1:{site.port}",
        api_token=site.basecamp.token,
        timeout=1,
    )
    with pytest.raises(ServerError, match="DLI-504"):
        TranspileAPI(context).get_rules()
