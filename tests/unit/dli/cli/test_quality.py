"""`dli quality list|get|validate|run` and its reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Dli = Callable[..., Result]

FILE = "quality/quality.shop.raw.orders.yaml"
TESTS = """
target: {type: dataset, name: shop.raw.orders}
metadata: {owner: me@example.com}
tests:
  - {name: key, type: unique, columns: [id]}
  - {name: status, type: accepted_values, column: status, values: [paid], severity: warn}
  - {name: "<low>", type: range_check, column: amount, min: 0}
  - {name: broken, type: not_null, columns: [nothing]}
  - {name: "off", type: row_count, min: 1, enabled: false}
"""
GOOD = ("-t", "key", "-t", "status", "-t", "off")


@pytest.fixture(autouse=True)
def project(clean_place: Path) -> Path:
    (clean_place / "quality").mkdir()
    (clean_place / "dli.yaml").write_text("sources: [{table: shop.raw.orders, path: orders.csv}]")
    (clean_place / "orders.csv").write_text("id,status,amount\n1,paid,3\n2,<b>,-4\n")
    (clean_place / FILE).write_text(TESTS)
    return clean_place


def test_list_filters_and_says_what_is_left_out(dli: Dli, project: Path) -> None:
    (project / "quality" / "quality.bad.yaml").write_text("target: 1\n")
    result = dli("quality", "list", "--status", "disabled")
    assert result.stdout.splitlines() == [
        "TEST  TARGET           TYPE       SEVERITY  STATUS    LAST RESULT",
        "off   shop.raw.orders  row_count  error     disabled  -",
    ]
    assert result.stderr.startswith("Left out: quality/quality.bad.yaml:")
    found = json.loads(dli("quality", "list", "--target", "orders", "-f", "json").stdout)
    assert [one["name"] for one in found] == ["key", "status", "<low>", "broken", "off"]
    assert json.loads(dli("quality", "list", "--target-type", "metric", "-f", "json").stdout) == []


@pytest.mark.parametrize("option", ["--status", "--target-type"])
def test_a_list_of_what_there_is_not_is_refused(dli: Dli, option: str) -> None:
    result = dli("quality", "list", option, "bogus")
    assert result.exit_code == 2
    assert "'bogus' is not one of" in result.stderr


def test_get(dli: Dli) -> None:
    assert "test_type    accepted_values" in dli("quality", "get", "status").stdout
    unknown = dli("quality", "get", "statuss")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert unknown.stderr.startswith("Error [DLI-606]: Quality 'statuss' not found.")
    assert "Did you mean 'status'?" in unknown.stderr
    none = dli("quality", "get", "status", "--include-history")
    assert (none.exit_code, none.stderr) == (0, "No result is kept of this test.\n")
    assert dli("quality", "run", FILE, "-t", "status").exit_code == 0
    shown = dli("quality", "get", "status", "--include-history").stdout.splitlines()
    assert shown[-2].split() == ["FINISHED", "STATUS", "FAILED", "ROWS", "ERROR"]
    assert shown[-1].split()[1:] == ["warn", "1", "-"]
    answer = json.loads(dli("quality", "get", "status", "--include-history", "-f", "json").stdout)
    assert (answer["last_status"], len(answer["history"])) == ("warn", 1)


def test_validate(dli: Dli, project: Path) -> None:
    assert dli("quality", "validate", FILE).stdout == f"{FILE} is valid.\n"
    assert dli("quality", "validate", FILE, "-t", "nope").exit_code == 1
    (project / FILE).write_text(TESTS.replace(", min: 1", ""))
    assert dli("quality", "validate", FILE).stderr.startswith("Warning: test 'off'")
    strict = dli("quality", "validate", FILE, "--strict")
    assert (strict.exit_code, strict.stdout) == (1, "")
    assert strict.stderr.startswith(f"Error [DLI-602]: {FILE} is not valid")
    answer = dli("quality", "validate", FILE, "--strict", "-f", "json")
    assert (answer.exit_code, json.loads(answer.stdout)["valid"]) == (1, False)


def test_run_has_a_line_per_test_and_fails_when_one_does(dli: Dli) -> None:
    result = dli("quality", "run", FILE, "--samples")
    assert result.exit_code == 1
    lines = [line.split() for line in result.stdout.splitlines()[:6]]
    assert [line[:5] for line in lines[1:]] == [
        ["key", "unique", "error", "pass", "0"],
        ["status", "accepted_values", "warn", "warn", "1"],
        ["<low>", "range_check", "error", "fail", "1"],
        ["broken", "not_null", "error", "error", "0"],
        ["off", "row_count", "error", "skipped", "0"],
    ]
    assert "\n<low>\nid  status  amount\n2   <b>     -4\n" in result.stdout
    assert result.stderr.startswith("broken: ")
    assert "Error [DLI-604]: 2 of 5 tests of dataset:shop.raw.orders did not pass" in result.stderr


def test_warnings_alone_are_no_failure(dli: Dli) -> None:
    result = dli("quality", "run", FILE, *GOOD)
    assert (result.exit_code, result.stderr) == (0, "")


def test_json_is_one_document(dli: Dli) -> None:
    result = dli("quality", "run", FILE, "--fail-fast", "-f", "json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert (answer["status"], answer["passed_count"], answer["failed_count"]) == ("fail", 1, 1)
    statuses = [entry["status"] for entry in answer["test_results"]]
    assert statuses == ["pass", "warn", "fail", "skipped", "skipped"]
    assert answer["test_results"][2]["failed_samples"] == [{"id": 2, "status": "<b>", "amount": -4}]


def test_reports_for_machines_and_people(dli: Dli, project: Path) -> None:
    result = dli("quality", "run", FILE, "--junit", "out.xml", "--html", "out.html")
    assert result.exit_code == 1
    suite = ET.parse(project / "out.xml").getroot()[0]
    counts = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "1", "errors": "1", "skipped": "1"}
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases == {
        "key": [],
        "status": ["system-out"],
        "<low>": ["failure"],
        "broken": ["error"],
        "off": ["skipped"],
    }
    page = (project / "out.html").read_text()
    assert "&lt;low&gt;: the first 1 failing rows" in page
    assert "<td>&lt;b&gt;</td>" in page
    assert "<b>" not in page
    assert sorted(path.name for path in project.glob("*out*")) == ["out.html", "out.xml"]


def test_a_report_that_cannot_be_written_is_an_error(dli: Dli) -> None:
    result = dli("quality", "run", FILE, *GOOD, "--junit", "none/out.xml")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error [DLI-401]: No such file or directory")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("none.yaml",), "DLI-601"),
        (("dli.yaml",), "DLI-602"),
        ((FILE, "-t", "nope"), "DLI-204"),
        ((FILE, "-P", "other=1"), "DLI-204"),
    ],
)
def test_each_failure_is_one_line_with_its_code(
    dli: Dli, words: tuple[str, ...], code: str
) -> None:
    result = dli("quality", "run", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error [{code}]: ")


def test_an_unknown_target(dli: Dli, project: Path) -> None:
    (project / FILE).write_text(TESTS.replace("raw.orders", "raw.none"))
    result = dli("quality", "run", FILE)
    assert result.stderr.startswith("Error [DLI-603]: Target not found: dataset:shop.raw.none")


def test_samples_of_mock_mode_pass_and_say_so(dli: Dli, mock_dli: Dli, project: Path) -> None:
    assert mock_dli("quality", "run", FILE).exit_code == 0
    listed = mock_dli("quality", "list")
    assert "pk_unique" in listed.stdout
    assert listed.stderr.startswith("MOCK: ")
    assert not (project / ".dli").exists()


def test_the_mode_can_be_chosen(dli: Dli) -> None:
    mock = dli("quality", "run", FILE, "--mode", "mock")
    assert (mock.exit_code, mock.stderr[:5]) == (0, "MOCK:")
    assert dli("quality", "run", FILE, "-m", "server").exit_code == 1


def test_parameters_reach_the_sql(dli: Dli, project: Path) -> None:
    sql = "SELECT * FROM {{ target }} WHERE amount > {{ most }}"
    (project / FILE).write_text(
        "target: {type: dataset, name: shop.raw.orders}\nmetadata: {owner: me@example.com}\n"
        f'tests: [{{name: low, type: singular, params: {{most: 1}}, sql: "{sql}"}}]\n'
    )
    assert dli("quality", "run", FILE).exit_code == 1
    assert dli("quality", "run", FILE, "--param", "most=3").exit_code == 0
    assert dli("quality", "run", FILE, "-P", "most=2", "-P", "most=3").exit_code == 0


def test_an_interrupted_report_leaves_no_file(
    dli: Dli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(file: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", interrupt)
    result = dli("quality", "run", FILE, *GOOD, "--html", "out.html")
    assert result.exit_code == 130
    assert list(project.glob("*out*")) == []
