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
