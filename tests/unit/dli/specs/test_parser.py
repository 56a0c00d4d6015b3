"""Specs in files and bodies: every key, every rule, every refusal with its place."""

from pathlib import Path
from typing import Any

import pytest

from dli.exceptions import DLIValidationError
from dli.models.dataset import DatasetSpec
from dli.models.metric import MetricSpec
from dli.specs.parser import SpecFile, dataset_from_mapping, parse_dataset, parse_spec

HEAD = "name: iceberg.analytics.daily_clicks\nowner: me\nteam: growth\n"


def parse(body: str = "", *, head: str = HEAD, label: str = "sets/dataset.a.yaml") -> SpecFile:
    return parse_spec((head + body).encode(), label=label)


def refusal(body: str = "", *, head: str = HEAD) -> DLIValidationError:
    with pytest.raises(DLIValidationError) as caught:
        parse(body, head=head)
    return caught.value


def test_every_key_of_a_dataset_reaches_the_spec() -> None:
    spec = parse(
        """
description: Clicks per day
domains: [web]
tags: [daily, 1]
versions:
  - {version: 1.10, started_at: 2025-01-01, ended_at: 2025-06-01}
  - {version: 2, started_at: 2025-06-01, description: now}
parameters:
  - {name: region, default: 007}
  - {name: limit, type: integer, default: 5}
  - {name: codes, type: list, default: [a, 1]}
  - {name: since, type: date, default: 2025-1-5}
query_statement: |
  DELETE FROM t
execution: {timeout_seconds: 60, dialect: duckdb}
depends_on: [iceberg.raw.clicks]
schema:
  - {name: id, type: int, nullable: false, size: 10}
pre_statements:
  - {name: clean, sql: DELETE FROM t, continue_on_error: yes}
post_statements:
  - {name: check, sql: SELECT 1}
schedule:
  enabled: off
  cron: 0 9 * * *
  timezone: Asia/Seoul
  catchup: true
  retry: {max_attempts: 3, delay_seconds: 10}
  notifications:
    on_failure: [{type: slack, channel: '#alerts'}]
"""
    ).spec
    assert isinstance(spec, DatasetSpec)
    assert spec.tags == ["daily", "1"]
    assert [version.version for version in spec.versions] == ["1.10", "2"]
    assert [p.default for p in spec.parameters] == ["007", 5, ["a", 1], "2025-01-05"]
    assert spec.execution.model_dump() == {
        "timeout_seconds": 60, "retry_count": 2, "retry_delay_seconds": 60, "dialect": "duckdb",
    }  # fmt: skip
    assert spec.schema_fields == [{"name": "id", "type": "int", "nullable": False, "size": 10}]
    assert spec.pre_statements[0].continue_on_error is True
    assert spec.schedule is not None
    assert (spec.schedule.enabled, spec.schedule.catchup) == (False, True)
    assert spec.schedule.retry.max_attempts == 3
    assert spec.schedule.notifications.on_failure[0].channel == "#alerts"


def test_the_stored_form_is_read_back_unchanged() -> None:
    spec = parse(
        "parameters: [{name: l, type: list, default: ['1', 2]}]\nschedule: {cron: 0 9 * * 1}"
    ).spec
    stored = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert dataset_from_mapping(stored) == (spec, [])


def test_an_empty_key_is_as_good_as_none() -> None:
    spec = parse("description:\ntags: ~\nschedule:\nexecution:\n  dialect:\n").spec
    assert (spec.description, spec.tags, spec.execution.dialect) == ("", [], "trino")


def test_defaults_fill_missing_execution_keys() -> None:
    text = (HEAD + "execution: {retry_count: 0}").encode()
    defaults = {"dialect": "bigquery", "retry_count": 5}
    execution = parse_spec(text, label="x", defaults=defaults).spec.execution
    assert (execution.dialect, execution.retry_count) == ("bigquery", 0)


@pytest.mark.parametrize(
    ("label", "body", "model"),
    [
        ("d/dataset.a.yaml", "", DatasetSpec),
        ("d/metric.a.yaml", "", MetricSpec),
        ("metric.yaml", "", MetricSpec),
        ("d/metric.a.yaml", "type: Dataset", DatasetSpec),
        ("d/dataset.a.yaml", "type: Metric\nquery_type: SELECT", MetricSpec),
    ],
)
def test_the_type_comes_from_the_file_name_unless_given(label: str, body: str, model: type) -> None:
    assert isinstance(parse(body, label=label).spec, model)


@pytest.mark.parametrize(
    ("body", "line", "text"),
    [
        ("query_type: SELECT", 4, "query_type: a Dataset has DML"),
        ("type: Table", 4, "type: input should be 'Metric' or 'Dataset'"),
        ("query_statement: a\nquery_file: b.sql", 5, "not both"),
        ("query_file: b.sql", 4, "write the SQL itself"),
        ("depends_on:\n  - a.b\n  - ../c", 6, "depends_on: a name"),
        ("tags: daily", 4, "tags: input should be a valid list"),
        ("pre_statements:\n  - {name: a}", 5, "needs sql or file"),
        ("pre_statements:\n  - {name: a, sql: x, file: y}", 5, "needs sql or file"),
        ("pre_statements:\n  - sql: x", 5, "pre_statements.0.name: field required"),
        ("parameters:\n  - {name: a b}", 5, "parameters: a name"),
        ("parameters:\n  - {name: a\u0661}", 5, "parameters: a name"),
        ("parameters:\n  - name: a\n  - name: a", 6, "declared twice"),
        ("parameters:\n  - name: ref", 5, "template function"),
        ("parameters:\n  - name: n\n    type: integer\n    default: x", 7, "must be an integer"),
        ("execution:\n  timeout_seconds: 0", 5, "at least 1"),
        ("execution:\n  dialect: mysql", 5, "must be one of trino"),
        (
            "schedule:\n  retry:\n    max_attempts: 0\n  cron: 0 9 * * *",
            6,
            "greater than or equal to 1",
        ),
        ("schedule: {}", 4, "schedule.cron: field required"),
        ("versions:\n  - {version: 1, started_at: 2026-99-99}", 5, "started_at"),
    ],
)
def test_a_broken_rule_is_told_with_its_line(body: str, line: int, text: str) -> None:
    error = refusal(body)
    assert error.code == "DLI-203"
    assert error.message.startswith(f"sets/dataset.a.yaml:{line}: ")
    assert text in error.message


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ("schedule:\n  cron: 61 * * * *", "DLI-805", 5),
        ("schedule:\n  cron: ''", "DLI-805", 5),
        ("schedule:\n  cron: 0 9 * * *\n  timezone: Mars/Base", "DLI-805", 6),
        ("parameters: [{name: region}]\nschedule: {cron: 0 9 * * *}", "DLI-801", 5),
    ],
)
def test_a_schedule_that_cannot_work_has_its_own_code(body: str, code: str, line: int) -> None:
    error = refusal(body)
    assert error.code == code
    assert error.message.startswith(f"sets/dataset.a.yaml:{line}: ")


def test_all_that_is_wrong_with_a_schedule_is_told_at_once() -> None:
    body = "parameters: [{name: region}]\nschedule:\n  cron: 61 * * * *\n  timezone: Mars/Base"
    found = refusal(body).details["errors"]
    pointers = ["/schedule/cron", "/schedule/timezone", "/schedule"]
    assert [error["pointer"] for error in found] == pointers


@pytest.mark.parametrize(
    "name",
    ["", "a..b", ".a", "a.", "-a", "a.-b", "../a", "a/b", "a b", "a%2eb", "a\u0000b", "a\nb", "a\n",
     "\u202ea", "ａ", "ⅰ", "a\u0661", "é", ".git", "x" * 201, "{{7*7}}", "${7*7}",
     "'; DROP TABLE t"],
)  # fmt: skip
def test_names_outside_the_grammar_are_refused(name: str) -> None:
    with pytest.raises(DLIValidationError) as caught:
        dataset_from_mapping({"name": name, "owner": "me", "team": "t"})
    assert caught.value.code == "DLI-203"
    assert not name or name not in caught.value.message


@pytest.mark.parametrize("name", ["a", "a.b", "a.b.c", "1_a.b-c.CON", "x" * 200])
def test_names_of_the_grammar_are_accepted(name: str) -> None:
    spec, _ = dataset_from_mapping({"name": name, "owner": "me", "team": "t"})
    assert spec.name == name


def test_all_findings_are_told_at_once() -> None:
    error = refusal(
        "owner: ''\nexecution: {dialect: x}\nquery_type: SELECT", head="name: a\nteam: t\n"
    )
    assert len(error.errors) == 3
    error = refusal(head="description: x\n")
    assert [text.partition(": ")[2] for text in error.errors] == [
        "name: field required",
        "owner: field required",
        "team: field required",
    ]


def test_an_unknown_key_is_a_warning_with_a_suggestion() -> None:
    warnings = parse(
        "descripton: x\nschedule:\n  cron: 0 9 * * *\n  zone: UTC\nschema: [{any: x}]"
    ).warnings
    assert warnings == [
        "sets/dataset.a.yaml:4: unknown key 'descripton'; did you mean 'description'?",
        "sets/dataset.a.yaml:7: unknown key 'zone'; did you mean 'timezone'?",
    ]


def test_the_form_of_other_tools_is_refused_with_the_keys_expected() -> None:
    error = refusal(head="kind: Dataset\nmetadata: {name: a}\nspec: {}\n")
    assert "name, owner and team are expected" in error.message


class TestFiles:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "project" / "sets").mkdir(parents=True)
        (tmp_path / "project" / "sets" / "sub.sql").mkdir()
        (tmp_path / "outside.sql").write_text("SELECT 1")
        (tmp_path / "project" / "sets" / "a.sql").write_text("SELECT 1")
        (tmp_path / "project" / "sets" / "link.sql").symlink_to(tmp_path / "outside.sql")
        return tmp_path / "project" / "sets"

    def parse(self, folder: Path, body: str) -> SpecFile:
        path = folder / "dataset.a.yaml"
        path.write_text(HEAD + body)
        return parse_spec(path, label="sets/dataset.a.yaml", root=folder.parent)

    @pytest.mark.parametrize("file", ["a.sql", "./a.sql", "../sets/a.sql"])
    def test_files_inside_the_project_are_accepted(self, folder: Path, file: str) -> None:
        spec = self.parse(folder, f"query_file: {file}").spec
        assert spec.base_dir == folder

    @pytest.mark.parametrize(
        ("file", "reason"),
        [
            ("../../outside.sql", "leads out of the project"),
            ("/etc/passwd", "does not match *.sql"),
            ("/etc/passwd.sql", "leads out of the project"),
            ("link.sql", "leads out of the project"),
            ("b.sql", "does not exist"),
            ("sub.sql", "does not exist"),
            ('"a\\0.sql"', "not a usable path"),
        ],
    )
    def test_others_are_refused(self, folder: Path, file: str, reason: str) -> None:
        for body in (f"query_file: {file}", f"pre_statements: [{{name: a, file: {file}}}]"):
            with pytest.raises(DLIValidationError) as caught:
                self.parse(folder, body)
            assert caught.value.message.startswith("sets/dataset.a.yaml:4: ")
            assert reason in caught.value.message


class TestBodies:
    @pytest.mark.parametrize(
        ("data", "pointer"),
        [
            ({"team": 5}, "/team"),
            ({"schedule": {"cron": "x"}}, "/schedule/cron"),
            ({"parameters": [{"name": "a b"}]}, "/parameters/0/name"),
            ({"query_file": "a.sql"}, "/query_file"),
            ({"type": "Metric"}, "/type"),
        ],
    )
    def test_findings_carry_json_pointers(self, data: dict[str, Any], pointer: str) -> None:
        with pytest.raises(DLIValidationError) as caught:
            dataset_from_mapping({"name": "a", "owner": "me", "team": "t", **data})
        (finding,) = caught.value.details["errors"]
        assert finding["pointer"] == pointer
        assert caught.value.message == f"spec: {finding['message']}"

    def test_a_body_as_deep_as_json_allows_is_refused(self) -> None:
        deep: Any = {}
        for _ in range(900):
            deep = [deep]
        for key in ("schema", "tags"):
            with pytest.raises(DLIValidationError, match="nested deeper"):
                dataset_from_mapping({"name": "a", "owner": "me", "team": "t", key: deep})

    def test_a_stored_text_must_be_a_dataset(self) -> None:
        assert parse_dataset(HEAD.encode(), "a.yaml").owner == "me"
        with pytest.raises(DLIValidationError, match="a dataset is needed"):
            parse_dataset((HEAD + "type: Metric").encode(), "a.yaml")
