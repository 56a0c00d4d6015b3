"""Specs are checked by a worker process that comes and goes as it is needed."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from basecamp.clock import SystemClock
from basecamp.engines.airflow.checker import Checker, CheckerSettings
from basecamp.engines.base import CheckResult, RunSpec
from basecamp.engines.embedded.question import checked
from dli.exceptions import ErrorCode, ServerError
from process import wait_for

DAY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def checker(tmp_path: Path) -> Iterator[Checker]:
    (tmp_path / "dli.yaml").write_text("{}\n")
    (tmp_path / ".dli").mkdir()
    settings = CheckerSettings(tmp_path, tmp_path / ".dli", worker_idle_s=0.0)
    made = Checker(settings, SystemClock())
    yield made
    made.close()


@pytest.fixture
def asked(content: dict[str, Any]) -> RunSpec:
    return RunSpec(content, {}, DAY, DAY + timedelta(days=1), "UTC")


def check(checker: Checker, asked: RunSpec) -> CheckResult:
    return checked(checker, asked, bind=False)


def test_a_check_tells_the_sql_or_what_is_wrong_with_it(checker: Checker, asked: RunSpec) -> None:
    assert check(checker, asked).statements == ["SELECT 1"]
    asked.content["query_statement"] = "SELEC 1"
    found = check(checker, asked)
    assert (found.ok, found.code) == (False, "DLI-202")


def test_a_worker_that_ended_is_replaced(checker: Checker, asked: RunSpec) -> None:
    assert check(checker, asked).ok
    assert checker._link is not None
    os.kill(checker._link.pid, signal.SIGKILL)
    wait_for(lambda: checker._link is None)
    assert check(checker, asked).ok


def test_a_worker_without_work_ends(checker: Checker, asked: RunSpec) -> None:
    assert check(checker, asked).ok
    checker.retire()
    assert checker._link is None
    assert check(checker, asked).ok


def test_a_dataset_runs_in_the_worker_too(checker: Checker, content: dict[str, Any]) -> None:
    make = "CREATE OR REPLACE TABLE a.b.c AS SELECT 1 AS n"
    spec = {**content, "name": "a.b.c", "query_statement": make}
    arguments = {"spec": spec, "parameters": {}, "dry_run": False, "left_out": []}
    done = checker.ask("dataset.run", arguments, timeout_s=60, writes="a.b.c")
    assert done["status"] == "success", done["error_message"]
    asked = {"sql": "SELECT n FROM a.b.c", "parameters": {}, "dialect": "trino"}
    options = {"transpile": False, "strict": False, "dry_run": False}
    assert checker.ask("sql.run", {**asked, **options}, timeout_s=60)["data"] == [{"n": 1}]


def test_a_worker_that_could_not_be_started_is_an_error_of_the_engine(
    checker: Checker, asked: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OSError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(checker, "_start", refuse)
        with pytest.raises(ServerError) as refused:
            check(checker, asked)
    assert refused.value.code is ErrorCode.SERVER_EXECUTION
    assert check(checker, asked).ok
