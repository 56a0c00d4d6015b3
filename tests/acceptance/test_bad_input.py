"""Each wrong input gives one line with its code and its exit code, and changes nothing."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shell import Shell

HERE = Path(__file__).parent
CLICKS = "iceberg.analytics.daily_clicks"
CODE = "code.managed.dataset"
BROKEN_YAML = "name: iceberg.analytics.broken\nowner: [unclosed\n"
BROKEN_SQL = """\
name: iceberg.analytics.wrong
owner: ana@example.com
team: clicks
query_statement: SELEC 1 FORM nowhere
"""
NEEDY = """\
name: iceberg.analytics.needy
owner: ana@example.com
team: clicks
parameters:
  - {name: country, type: string}
  - {name: top, type: integer, default: 3}
query_statement: CREATE TABLE iceberg.analytics.needy AS SELECT '{{ country }}' AS c, {{ top }} AS n
"""


@pytest.fixture(scope="module")
def project(open_shell: Callable[[Path], Shell]) -> Shell:
    """A running Basecamp with one CODE and one MANUAL workflow and one finished run."""
    shell = open_shell(HERE / "click_project")
    shell.dli("up")
    datasets = shell.directory / "datasets"
    clicks = datasets / f"dataset.{CLICKS}.yaml"
    text = clicks.read_text(encoding="utf-8")
    clicks.unlink()
    needy = datasets / "dataset.iceberg.analytics.needy.yaml"
    needy.write_text(NEEDY, encoding="utf-8")
    shell.dli("workflow", "publish")
    clicks.write_text(text, encoding="utf-8")
    shell.dli("workflow", "register", CLICKS, "--cron", "0 9 * * *")
    shell.dli("workflow", "run", CLICKS, "-p", "execution_date=2025-01-01", "--wait")
    return shell


def state(shell: Shell) -> Any:
    return [shell.json("workflow", "list"), shell.json("workflow", "history")]


def refused(shell: Shell, *words: str, **variables: str) -> str:
    """The code that a command fails with, after checking how it fails."""
    done = shell.run("dli", *words, **variables)
    assert done.returncode == 1, done
    assert done.stdout == "", done
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    found = re.match(r"Error \[(DLI-\d{3})\]: \S", lines[0])
    assert found, done.stderr
    return found[1]


REFUSALS = {
    "unknown dataset": ("DLI-800", ["run", "iceberg.analytics.nothing"]),
    "unknown dataset to register": (
        "DLI-101",
        ["register", "iceberg.analytics.nothing", "--cron", "0 9 * * *"],
    ),
    "bad cron": ("DLI-805", ["register", CLICKS, "--cron", "61 * * * *", "--force"]),
    "six fields": ("DLI-805", ["register", CLICKS, "--cron", "0 0 9 * * *", "--force"]),
    "bad zone": (
        "DLI-805",
        ["register", CLICKS, "--cron", "0 9 * * *", "--timezone", "Mars/Base", "--force"],
    ),
    "undeclared parameter": ("DLI-204", ["run", CLICKS, "-p", "planet=Mars"]),
    "missing parameter": ("DLI-204", ["run", "iceberg.analytics.needy"]),
    "mistyped parameter": (
        "DLI-204",
        ["run", "iceberg.analytics.needy", "-p", "country=ES", "-p", "top=many"],
    ),
    "parameter without key": ("DLI-204", ["run", CLICKS, "-p", "=1"]),
    "bad date": ("DLI-204", ["run", CLICKS, "-p", "execution_date=yesterday"]),
    "end before start": ("DLI-204", ["backfill", CLICKS, "-s", "2025-01-02", "-e", "2025-01-01"]),
    "no date": ("DLI-204", ["backfill", CLICKS, "-s", "2025-02-30", "-e", "2025-03-01"]),
    "too many days": ("DLI-204", ["backfill", CLICKS, "-s", "2015-01-01", "-e", "2025-01-01"]),
    "unknown run": ("DLI-800", ["status", "run-that-never-was"]),
    "unknown run to stop": ("DLI-802", ["stop", "run-that-never-was"]),
    "registered already": ("DLI-804", ["register", CLICKS, "--cron", "0 9 * * *"]),
    "register over CODE": ("DLI-803", ["register", CODE, "--cron", "0 9 * * *", "--force"]),
    "unregister CODE": ("DLI-803", ["unregister", CODE]),
    "unpause what is active": ("DLI-807", ["unpause", CLICKS]),
    "path as a name": ("DLI-204", ["run", "../../etc/passwd"]),
    "encoded path as a name": ("DLI-204", ["run", "%2e%2e%2fpasswd"]),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_wrong_input_is_one_line_and_changes_nothing(project: Shell, case: str) -> None:
    code, words = REFUSALS[case]
    before = state(project)
    assert refused(project, "workflow", *words) == code
    assert state(project) == before


def test_a_finished_run_cannot_be_stopped(project: Shell) -> None:
    before = state(project)
    run_id = before[1][0]["run_id"]
    assert refused(project, "workflow", "stop", run_id) == "DLI-807"
    assert state(project) == before


def test_a_wrong_token_is_refused(project: Shell) -> None:
    assert refused(project, "workflow", "list", DLI_API_TOKEN="no-such-token") == "DLI-502"


def test_a_server_that_is_down_is_named(project: Shell) -> None:
    there = {"DLI_SERVER_URL": "http://127.0.0.1:9", "DLI_API_TOKEN": "any"}
    assert refused(project, "workflow", "list", **there) == "DLI-501"


def test_no_server_at_all_tells_how_to_start_one(tmp_path: Path) -> None:
    (tmp_path / "dli.yaml").write_text("project: {name: alone}\n", encoding="utf-8")
    shell = Shell(tmp_path, tmp_path)
    done = shell.run("dli", "workflow", "list")
    assert done.returncode == 1
    assert "Error [DLI-001]" in done.stderr
    assert "dli up" in done.stderr


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("iceberg.analytics.broken", BROKEN_YAML, "DLI-203"),
        ("iceberg.analytics.wrong", BROKEN_SQL, "DLI-202"),
    ],
)
def test_a_broken_file_is_named_with_its_line(
    project: Shell, name: str, text: str, code: str
) -> None:
    path = project.directory / "datasets" / f"dataset.{name}.yaml"
    path.write_text(text, encoding="utf-8")
    before = state(project)
    try:
        words = ("workflow", "register", name, "--cron", "0 9 * * *")
        done = project.run("dli", *words)
        assert done.returncode == 1
        assert f"Error [{code}]" in done.stderr
        assert re.search(rf"{re.escape(path.name)}:\d+", done.stderr), done.stderr
        assert "Traceback" not in done.stderr
        assert project.run("dli", "workflow", "publish").returncode == 1
        assert state(project) == before
    finally:
        path.unlink()


@pytest.mark.parametrize(
    "words",
    [
        ["workflow"],
        ["workflow", "rum", CLICKS],
        ["workflow", "list", "--sauce", "all"],
        ["workflow", "list", "--source", "sauce"],
        ["workflow", "backfill", CLICKS],
        ["workflow", "history", "-n", "0"],
    ],
)
def test_wrong_usage_exits_2_without_a_traceback(project: Shell, words: list[str]) -> None:
    done = project.run("dli", *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
