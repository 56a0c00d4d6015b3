"""The usage examples of the release document run as scripts against a running server."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from shell import Shell

HERE = Path(__file__).parent
USAGE = (HERE / "release_usage.md").read_text(encoding="utf-8")
SHELL = re.findall(r"^dli workflow (\w+) ?(.*)$", USAGE, re.MULTILINE)
LIBRARY, MOCK, ERRORS = re.findall(r"```python\n(.*?)```", USAGE, re.DOTALL)
CLICKS = "iceberg.analytics.daily_clicks"


@pytest.fixture(scope="module")
def project(open_shell: Callable[[Path], Shell]) -> Shell:
    """The project with Basecamp running, `code.managed.dataset` published, nothing registered."""
    shell = open_shell(HERE / "click_project")
    shell.dli("up")
    clicks = shell.directory / "datasets" / f"dataset.{CLICKS}.yaml"
    text = clicks.read_text(encoding="utf-8")
    clicks.unlink()
    shell.dli("workflow", "publish")
    clicks.write_text(text, encoding="utf-8")
    return shell


def script(shell: Shell, source: str) -> CompletedProcess[str]:
    state = shell.state
    return shell.run(
        sys.executable,
        "-W",
        "error",
        "-c",
        source.replace("http://basecamp:8080", state["url"]),
        DLI_API_TOKEN=state["token"],
        DLI_PROJECT_PATH=str(shell.directory),
    )


def test_library_example_registers_runs_backfills_and_unregisters(project: Shell) -> None:
    done = script(project, LIBRARY)
    assert done.stderr == ""
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert said["Registered"] == CLICKS
    run = project.json("workflow", "status", said["Run ID"])
    assert run["parameters"]["execution_date"] == "2025-01-01"
    backfill = project.json("workflow", "status", said["Backfill Run ID"])
    assert backfill["total_runs"] == 7
    assert CLICKS not in project.dli("workflow", "list", "--source", "manual")


def test_mock_example_needs_no_server(tmp_path: Path) -> None:
    done = Shell(tmp_path, tmp_path).run(sys.executable, "-W", "error", "-c", MOCK)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_error_example_catches_each_error_with_its_code(project: Shell) -> None:
    done = script(project, ERRORS)
    assert done.stderr == ""
    not_found, refused, not_stopped = done.stdout.splitlines()
    assert not_found == "[DLI-800] Workflow not found: nonexistent.dataset"
    assert refused.startswith("[DLI-803] ")
    assert not_stopped.startswith("[DLI-802] Execution error: ")


@pytest.fixture
def registered(project: Shell) -> Iterator[Shell]:
    project.dli("workflow", "register", CLICKS, "--cron", "0 9 * * *")
    yield project
    project.dli("workflow", "unregister", CLICKS)


@pytest.mark.parametrize(("verb", "usage"), [pair for pair in SHELL if pair[0] != "stop"])
def test_each_command_takes_each_option_it_shows(registered: Shell, verb: str, usage: str) -> None:
    if verb == "unpause":
        registered.run("dli", "workflow", "pause", CLICKS)
    if verb == "pause":
        registered.run("dli", "workflow", "unpause", CLICKS)
    required, *optional = usage.replace("]", "").split("[")
    for option in ("", *(form for choice in optional for form in forms(choice))):
        words = filled(f"{required} {option}", registered).split()
        registered.dli("workflow", verb, *words)


def test_stop_ends_a_backfill(registered: Shell) -> None:
    days = ("-s", "2024-01-01", "-e", "2025-12-31")
    run_id = registered.json("workflow", "backfill", CLICKS, *days)["run_id"]
    assert "KILLED" in registered.dli("workflow", "stop", run_id)


def forms(option: str) -> list[str]:
    """`--source code|manual|all` stands for three forms."""
    *words, last = option.split()
    return [" ".join((*words, choice)) for choice in last.split("|")]


def filled(usage: str, shell: Shell) -> str:
    """The usage with real values in the places of its words."""
    if "<run_id>" in usage:
        run_id = shell.json("workflow", "run", CLICKS, "-p", "execution_date=2025-01-02")["run_id"]
        usage = usage.replace("<run_id>", run_id)
    values = {
        "<dataset>": CLICKS,
        "key=value": "execution_date=2025-01-02",
        "YYYY-MM-DD": "2025-01-02",
        "-d dataset": f"-d {CLICKS}",
        "-n limit": "-n 5",
        "-s status": "-s COMPLETED",
    }
    for place, value in values.items():
        usage = usage.replace(place, value)
    return usage
