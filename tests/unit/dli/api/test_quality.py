"""`QualityAPI` on quality files: read, checked, and never passed without a result."""

from pathlib import Path

import pytest

from dli.api.quality import QualityAPI
from dli.exceptions import (
    DLIError,
    DLIValidationError,
    QualitySpecNotFoundError,
    QualitySpecParseError,
)
from dli.models.common import ExecutionContext
from dli.models.state import ExecutionMode

FILE = "quality.a.yaml"
GOOD = """
target: {type: dataset, name: iceberg.analytics.daily_clicks}
metadata: {owner: me@example.com}
tests:
  - {name: key, type: unique, columns: [id]}
  - {name: country, type: accepted_values, column: country, values: [kr, 1], severity: warn}
  - {name: off, type: row_count, min: 1, enabled: false, params: {deep: 1}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / FILE).write_text(GOOD)
    return tmp_path / "project"


@pytest.fixture
def api(root: Path) -> QualityAPI:
    return QualityAPI(ExecutionContext(project_path=root))


@pytest.fixture
def mock(root: Path) -> QualityAPI:
    return QualityAPI(ExecutionContext(project_path=root, execution_mode=ExecutionMode.MOCK))


def test_a_file_is_read_in_every_mode(api: QualityAPI, mock: QualityAPI, root: Path) -> None:
    spec = api.get_spec(FILE)
    assert mock.get_spec(root / FILE) == spec
    assert spec.target_urn == "dataset:iceberg.analytics.daily_clicks"
    assert [test.name for test in spec.tests] == ["key", "country", "off"]
    assert spec.tests[1].values == ["kr", "1"]
    assert spec.tests[2].params == {"deep": 1}


def test_a_path_is_looked_for_in_the_working_directory_too(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    for context in (ExecutionContext(project_path=tmp_path), ExecutionContext()):
        assert len(QualityAPI(context).get_spec(FILE).tests) == 3


def test_a_file_that_is_missing_or_broken_is_told(api: QualityAPI, root: Path) -> None:
    for call in (api.get_spec, api.validate, api.run):
        with pytest.raises(QualitySpecNotFoundError) as missing:
            call("nothing.yaml")
        assert missing.value.spec_path == "nothing.yaml"
    (root / FILE).write_text(GOOD.replace("type: unique", "type: expression"))
    with pytest.raises(QualitySpecParseError) as broken:
        api.get_spec(FILE)
    assert broken.value.line == 5
    assert "unique" in str(broken.value)
    (root / FILE).write_text("tests: [")
    with pytest.raises(QualitySpecParseError):
        api.validate(FILE)


def test_a_good_file_is_valid(api: QualityAPI) -> None:
    found = api.validate(FILE, strict=True, tests=["key"])
    assert (found.valid, found.errors, found.warnings) == (True, [], [])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (", columns: [id]", ""),
        (", values: [kr, 1]", ""),
        (", column: country", ""),
        ("name: country", "name: key"),
        ("columns: [id]", "columns: ['id; DROP']"),
        ("type: unique, columns: [id]", "type: singular"),
        ("type: unique, columns: [id]", "type: relationships, column: id, to: t"),
    ],
)
def test_what_a_test_lacks_is_an_error(api: QualityAPI, root: Path, old: str, new: str) -> None:
    assert old in GOOD
    (root / FILE).write_text(GOOD.replace(old, new))
    found = api.validate(FILE)
    assert not found.valid
    assert len(found.errors) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("target:", "version: 2\ntarget:"),
        (", min: 1", ""),
        ("target:", "surprise: 1\ntarget:"),
        ("columns: [id]", "columns: [id], expression: id > 1"),
    ],
)
def test_what_is_doubtful_is_a_warning_and_an_error_under_strict(
    api: QualityAPI, root: Path, old: str, new: str
) -> None:
    (root / FILE).write_text(GOOD.replace(old, new, 1))
    found = api.validate(FILE)
    assert found.valid
    assert len(found.warnings) == 1
    strict = api.validate(FILE, strict=True)
    assert not strict.valid
    assert strict.errors == found.warnings


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ("{cron: 61 * * * *}", "schedule: cron"),
        ("{cron: 0 6 * * *, timezone: Mars/Base}", "schedule: timezone"),
    ],
)
def test_a_schedule_must_be_one(api: QualityAPI, root: Path, schedule: str, problem: str) -> None:
    file = root / FILE
    file.write_text(f"schedule: {schedule}\n" + file.read_text())
    (error,) = api.validate(FILE).errors
    assert error.startswith(problem)


def test_names_of_tests_must_exist(api: QualityAPI, mock: QualityAPI) -> None:
    assert not api.validate(FILE, tests=["nope"]).valid
    for each in (api, mock):
        with pytest.raises(DLIValidationError) as caught:
            each.run(FILE, tests=["nope"])
        assert caught.value.code.value == "DLI-204"


def test_mock_passes_every_selected_test(mock: QualityAPI) -> None:
    result = mock.run(FILE)
    assert (result.execution_mode, result.target_urn) == (
        "mock",
        "dataset:iceberg.analytics.daily_clicks",
    )
    assert [(r["test_name"], r["status"]) for r in result.test_results] == [
        ("key", "pass"),
        ("country", "pass"),
        ("off", "skipped"),
    ]
    entry = mock.run(FILE, tests=["country"]).test_results[0]
    assert (entry["test_type"], entry["severity"]) == ("accepted_values", "warn")
    assert mock.run(FILE, tests=["country"]).model_dump(mode="json")


def test_without_an_executor_nothing_passes(api: QualityAPI) -> None:
    result = api.run(FILE, tests=["key", "country"])
    assert {r["status"] for r in result.test_results} == {"error"}
    assert {r["error_message"] for r in result.test_results} == {"Local executor not configured"}
    assert result.failed_count == 2


def test_server_mode_without_a_server_says_what_is_missing(root: Path) -> None:
    context = ExecutionContext(project_path=root, execution_mode=ExecutionMode.SERVER)
    with pytest.raises(DLIError, match="server_url required"):
        QualityAPI(context).run(FILE)


def test_mock_registers_nothing_but_reads_the_file(
    root: Path, mock_context: ExecutionContext
) -> None:
    context = mock_context.model_copy(update={"project_path": root})
    QualityAPI(context).register(FILE)
    with pytest.raises(QualitySpecNotFoundError):
        QualityAPI(context).register("quality/none.yaml")


@pytest.mark.parametrize("mode", [ExecutionMode.MOCK, ExecutionMode.SERVER])
def test_files_are_read_and_checked_without_a_server(root: Path, mode: ExecutionMode) -> None:
    api = QualityAPI(ExecutionContext(project_path=root, execution_mode=mode))
    assert [test.name for test in api.get_spec(FILE).tests] == ["key", "country", "off"]
    assert api.validate(FILE).valid
    (root / FILE).write_text(GOOD.replace(", columns: [id]", ""))
    assert not api.validate(FILE).valid
