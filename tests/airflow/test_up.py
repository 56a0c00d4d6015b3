"""`dli up --engine airflow`: the same commands, on an Airflow that comes and goes with Basecamp."""

import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from managed_airflow import ENVIRONMENT
from process import wait_for
from shell import Shell

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"
DAILY = "flights.analytics.daily_flights"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("up")
    shutil.copytree(FLIGHTS, folder / "flights", ignore=shutil.ignore_patterns(".dli"))
    variables = {"BASECAMP_AIRFLOW_ENVIRONMENT": str(ENVIRONMENT)}
    shell = Shell(folder / "flights", folder, variables, patience_s=600)
    shell.dli("up", "--engine", "airflow")
    shell.dli("workflow", "publish")
    yield shell
    shell.dli("down")
    assert processes(shell) == {}


def processes(shell: Shell) -> dict[str, int]:
    """Ids of the processes of the project's Airflow that run."""
    status = shell.run("python", "-m", "basecamp", "airflow", "status", "--project", ".")
    parts: list[dict[str, Any]] = json.loads(status.stdout)["parts"]
    return {part["name"]: part["pid"] for part in parts if part["is_running"]}


def checks(shell: Shell) -> dict[str, str]:
    found = shell.run("dli", "doctor", "--format", "json")
    return {check["name"]: check["state"] for check in json.loads(found.stdout)}


def run_of(said: str) -> str:
    (run_id,) = re.findall(r"[Rr]un (run-[0-9A-Za-z-]+)", said)
    return str(run_id)


def test_a_run_executes_on_airflow_and_shows_its_log(shell: Shell) -> None:
    day = "execution_date=2013-02-08"
    log = shell.run("dli", "workflow", "run", DAILY, "-p", day, "--follow")
    assert log.returncode == 0, log
    assert "main (3/6) finished, 32 rows" in log.stderr + log.stdout
    (run,) = shell.json("workflow", "history", "--dataset", DAILY)
    assert (run["status"], run["rows_affected"]) == ("COMPLETED", 32)


def test_doctor_shows_each_process(shell: Shell) -> None:
    found = {name: state for name, state in checks(shell).items() if name.startswith("airflow")}
    assert found == {
        "airflow api-server": "ok",
        "airflow scheduler": "ok",
        "airflow dag-processor": "ok",
    }


def test_a_crashed_process_is_started_again(shell: Shell) -> None:
    before = processes(shell)
    os.kill(before["scheduler"], signal.SIGKILL)
    wait_for(lambda: processes(shell).get("scheduler") not in (None, before["scheduler"]))
    log = (shell.directory / ".dli" / "basecamp.log").read_text()
    assert '"event": "airflow.ended", "part": "scheduler"' in log


def test_another_engine_is_not_taken_while_this_one_runs(shell: Shell) -> None:
    refused = shell.run("dli", "up", "--engine", "embedded")
    assert refused.returncode == 1
    assert "Basecamp runs already, with the engine airflow" in refused.stderr


@pytest.mark.parametrize("words", [("up",), ("down",)])
def test_airflow_survives_a_killed_basecamp_until_told(
    shell: Shell, words: tuple[str, ...]
) -> None:
    before = processes(shell)
    os.kill(shell.state["pid"], signal.SIGKILL)
    assert processes(shell) == before
    assert checks(shell)["airflow scheduler"] == "warn"
    shell.dli(*words)
    if words == ("down",):
        assert processes(shell) == {}
        shell.dli("up")  # with the engine of last time
        assert processes(shell).keys() == before.keys()
    else:
        assert processes(shell) == before
    assert shell.dli("workflow", "list").count(DAILY) == 1


def test_its_secrets_are_for_their_owner_only(shell: Shell) -> None:
    home = shell.directory / ".dli" / "airflow"
    secret = json.loads((home / "credentials.json").read_text())["password"]
    holders = [path for path in home.rglob("*") if path.is_file() and path.suffix != ".db"]
    told = [path for path in holders if secret in path.read_text(errors="replace")]
    assert {path.name for path in told} == {"credentials.json", "passwords.json"}
    assert {path.stat().st_mode & 0o777 for path in (*told, home / "airflow.cfg")} == {0o600}
    assert home.stat().st_mode & 0o777 == 0o700
