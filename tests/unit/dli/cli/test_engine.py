"""Which engine `dli up` takes, and what it does about the Airflow of a project."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from dli.cli import engine
from dli.cli.engine import chosen_engine, engine_variables
from dli.config import state_dir

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Dli = Callable[..., Result]


@pytest.fixture
def project(clean_place: Path) -> Path:
    (clean_place / "dli.yaml").write_text("version: '1'\n")
    state_dir(clean_place).mkdir(mode=0o700)
    return clean_place


@pytest.mark.parametrize(
    ("option", "variable", "last_time", "chosen"),
    [
        (None, None, None, "embedded"),
        (None, None, "airflow\n", "airflow"),
        (None, None, "other", "embedded"),
        (None, "embedded", "airflow", "embedded"),
        ("airflow", "embedded", "embedded", "airflow"),
    ],
)
def test_the_engine_is_that_of_the_option_the_variable_or_last_time(
    project: Path, option: str | None, variable: str | None, last_time: str | None, chosen: str
) -> None:
    if last_time is not None:
        (state_dir(project) / "engine").write_text(last_time)
    env = {} if variable is None else {"BASECAMP_ENGINE": variable}
    assert chosen_engine(project, option, env) == chosen


def test_an_airflow_with_an_address_is_used_else_there_is_a_managed_one() -> None:
    managed = {"BASECAMP_ENGINE": "airflow", "BASECAMP_AIRFLOW_MANAGED": "true"}
    assert engine_variables("airflow", {}) == managed
    given = {"BASECAMP_AIRFLOW_URL": "http://127.0.0.1:8080"}
    assert engine_variables("airflow", given) == {"BASECAMP_ENGINE": "airflow"}
    assert engine_variables("embedded", given) == {"BASECAMP_ENGINE": "embedded"}


def answer(code: int, stderr: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    return lambda *_, **__: subprocess.CompletedProcess([], code, "", stderr)


def test_up_ends_where_airflow_cannot_be_installed(
    dli: Dli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_basecamp", answer(1, ""))
    result = dli("up", "--engine", "airflow")
    assert result.exit_code == 1
    assert "Airflow is not installed" in result.stderr
    assert not (state_dir(project) / "basecamp.log").exists()


@pytest.mark.parametrize(
    ("code", "said", "exit_code", "shown"),
    [
        (0, "Airflow has stopped.\n", 0, "The Airflow that an earlier Basecamp had left"),
        (0, "", 0, "No Basecamp runs for this project."),
        (1, "Error in use\n", 1, "Airflow could not be stopped: Error in use"),
    ],
)
def test_down_ends_what_a_killed_basecamp_has_left(
    dli: Dli,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    said: str,
    exit_code: int,
    shown: str,
) -> None:
    (state_dir(project) / "airflow").mkdir()
    (state_dir(project) / "airflow" / "processes.json").write_text("{}")
    monkeypatch.setattr(engine, "_basecamp", answer(code, said))
    result = dli("down")
    assert result.exit_code == exit_code
    assert shown in result.stdout + result.stderr
