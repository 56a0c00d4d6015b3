"""A server whose disk fills up: it says so, loses nothing, and goes on when there is space."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from answer import record
from process import wait_for
from small_disk import SmallDisk, opened_small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with opened_small_disk(tmp_path / "small") as opened:
        yield opened


def test_f3_a_full_disk_is_said_and_nothing_that_was_stored_is_lost(disk: SmallDisk) -> None:
    assert disk.register("a.first").success
    taken, answer = disk.fill_up("a.n")
    kept = {"a.first"} | taken
    assert (answer.status_code, answer.code) == (503, "DLI-504")
    assert "full" in str(answer.error)
    assert not disk.is_ready()
    assert disk.names() == kept
    disk.ballast.unlink()
    wait_for(disk.is_ready)
    assert disk.register("a.last").success
    assert disk.names() == kept | {"a.last"}


def test_a_run_is_stopped_while_the_disk_is_full(disk: SmallDisk) -> None:
    run_id = disk.start_slow_run("a.slow")
    _, answer = disk.fill_up("a.n")
    assert answer.status_code == 503
    assert record(disk.client.workflow_stop(run_id, reason="no space"))["status"] == "KILLED"
    stopped = record(disk.client.workflow_status(run_id))
    assert (stopped["status"], stopped["stop_reason"]) == ("KILLED", "no space")
    disk.ballast.unlink()
    wait_for(disk.is_ready)
    assert (disk.root / ".dli" / "reserve").exists()
