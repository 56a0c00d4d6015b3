"""Processes that outlive their parent are found again, and ended with all they have started."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from basecamp.engines.airflow.process import AirflowProcess, Birth, _mark, _session
from process import wait_for

FOREVER = "import threading; print('begun', flush=True); threading.Event().wait()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + FOREVER
WITH_TASK = (
    "import subprocess, sys; "
    f"subprocess.Popen([sys.executable, '-c', {DEAF!r}], process_group=0); " + FOREVER
)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[AirflowProcess]:
    process = AirflowProcess("part", tmp_path / "part.log")
    yield process
    process.kill()


def start(process: AirflowProcess, code: str, lines: int = 1) -> Birth:
    birth = process.start([sys.executable, "-c", code], {})
    wait_for(lambda: process.log.read_text().count("begun") >= lines)
    return birth


def test_a_process_runs_until_it_is_stopped(process: AirflowProcess) -> None:
    assert not process.is_running
    start(process, FOREVER)
    assert process.is_running
    assert process.stop(grace_s=30)
    assert not process.is_running


def test_a_process_is_taken_over_by_whoever_comes_next(process: AirflowProcess) -> None:
    birth = Birth.of(start(process, FOREVER).record())
    successor = AirflowProcess("part", process.log, birth)
    assert successor.is_running
    assert successor.stop(grace_s=30)
    assert not process.is_running


def test_one_that_does_not_listen_is_killed_with_its_children(process: AirflowProcess) -> None:
    birth = start(process, WITH_TASK, lines=2)
    assert len(_session(birth.pid)) == 2
    assert process.stop(grace_s=30)
    assert _session(birth.pid) == []


def test_one_that_is_deaf_is_killed_after_its_grace(process: AirflowProcess) -> None:
    start(process, DEAF)
    assert not process.stop(grace_s=0.1)
    assert not process.is_running


def test_another_program_under_the_same_id_is_left_alone(process: AirflowProcess) -> None:
    birth = start(process, FOREVER)
    other = AirflowProcess("part", process.log, Birth(birth.pid, "earlier", datetime.now(UTC)))
    assert not other.is_running
    other.stop(grace_s=0.1)
    assert _mark(birth.pid) == birth.mark


def test_the_last_line_tells_why_a_process_has_ended(process: AirflowProcess) -> None:
    start(process, "print('begun'); print('no room'); print()")
    assert process.wait(30)
    assert process.last_line() == "no room"


def test_a_long_log_makes_room_for_a_new_one(process: AirflowProcess) -> None:
    process.log.write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    start(process, FOREVER)
    assert process.log.read_text() == "begun\n"
    assert process.log.with_suffix(".log.1").exists()
