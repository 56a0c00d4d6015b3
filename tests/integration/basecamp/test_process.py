"""The server as a process: announced when ready, alone on its state, gone on a signal."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DEADLINE_S = 30.0


class Process:
    """`python -m basecamp serve` on one project."""

    def __init__(self, project: Path, **env: str) -> None:
        self.project = project
        self.child = subprocess.Popen(
            [sys.executable, "-m", "basecamp", "serve", "--project", str(project)],
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def announcement(self) -> Path:
        return self.project / ".dli" / "basecamp.json"

    def ready(self) -> dict[str, Any]:
        pause = threading.Event()
        for _ in range(int(DEADLINE_S / 0.02)):
            if self.announcement.exists():
                found: dict[str, Any] = json.loads(self.announcement.read_text())
                return found
            if self.child.poll() is not None:
                raise AssertionError(self.child.communicate()[1])
            pause.wait(0.02)
        raise AssertionError("not ready in time")

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        if self.child.poll() is None:
            self.child.send_signal(number)
        _, told = self.child.communicate(timeout=DEADLINE_S)
        return self.child.returncode, told


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "dli.yaml").write_text("version: '1'\n")
    return tmp_path


@pytest.fixture
def running(project: Path) -> Iterator[Process]:
    process = Process(project)
    process.ready()
    yield process
    process.end(signal.SIGKILL)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_ready_server_is_announced_to_its_owner_only(running: Process) -> None:
    told = running.ready()
    assert told.keys() == {"url", "token", "pid", "version", "started_at"}
    assert told["pid"] == running.child.pid
    with urllib.request.urlopen(f"{told['url']}/readyz") as answer:
        assert answer.status == 200
    state = running.project / ".dli"
    assert mode(state) == 0o700
    assert {
        mode(path) for path in (running.announcement, state / "token", state / "basecamp.db")
    } == {0o600}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(running: Process, number: int) -> None:
    status, told = running.end(number)
    assert status == 0
    assert not running.announcement.exists()
    for line in told.splitlines():
        json.loads(line)


def test_f22_a_second_server_on_the_state_names_the_first(running: Process) -> None:
    second = Process(running.project)
    _, told = second.child.communicate(timeout=DEADLINE_S)
    assert second.child.returncode == 4
    assert f"already in use by process {running.child.pid}." in told
    assert told.count("\n") == 1
    assert running.ready()["pid"] == running.child.pid


def test_after_a_kill_the_next_server_takes_over(running: Process) -> None:
    token = running.ready()["token"]
    running.end(signal.SIGKILL)
    running.announcement.unlink()  # nobody was there to do it
    again = Process(running.project)
    assert again.ready()["token"] == token
    assert again.end()[0] == 0


def refused(project: Path, status: int, **env: str) -> str:
    process = Process(project, **env)
    _, told = process.child.communicate(timeout=DEADLINE_S)
    assert process.child.returncode == status, told
    assert told.startswith("Error [DLI-00")
    assert told.count("\n") == 1
    return told


@pytest.mark.parametrize(
    "damage", [b"no database at all" * 500, b"SQLite format 3\0" + b"\xff" * 4096]
)
def test_f7_a_damaged_store_is_refused_and_left_alone(project: Path, damage: bytes) -> None:
    store = project / ".dli" / "basecamp.db"
    store.parent.mkdir(mode=0o700)
    store.write_bytes(damage)
    refused(project, 3)
    assert store.read_bytes() == damage


def test_a_store_of_a_newer_version_is_refused_and_left_alone(running: Process) -> None:
    running.end()
    store = running.project / ".dli" / "basecamp.db"
    with sqlite3.connect(store) as opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")
    opened.close()
    before = store.read_bytes()
    assert "newer version" in refused(running.project, 3)
    assert store.read_bytes() == before


def test_f47_a_state_directory_that_others_may_write_is_refused(project: Path) -> None:
    (project / ".dli").mkdir()
    (project / ".dli").chmod(0o770)
    refused(project, 1)


def test_listening_beyond_this_machine_is_refused(project: Path) -> None:
    assert "0.0.0.0" not in refused(project, 1, BASECAMP_HOST="0.0.0.0")
    assert not (project / ".dli").exists()


def test_a_project_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert "[DLI-003]" in refused(tmp_path / "nowhere", 1)
    assert not (tmp_path / "nowhere").exists()


def test_a_state_directory_that_cannot_be_made_is_refused(project: Path) -> None:
    (project / ".dli").write_text("a file")
    assert "cannot be made" in refused(project, 1)


def test_a_setting_that_makes_no_sense_is_named(project: Path) -> None:
    assert "BASECAMP_WORKER_SLOTS" in refused(project, 1, BASECAMP_WORKER_SLOTS="many")


def test_a_port_that_is_taken_is_refused(running: Process, project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    port = running.ready()["url"].rsplit(":", 1)[1]
    assert f"port {port}" in refused(other, 1, BASECAMP_PORT=port)
