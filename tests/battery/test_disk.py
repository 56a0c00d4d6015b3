"""The disk of the state store is full, fails, is held by another program or gives back rubbish."""

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from answer import record
from campaign import Campaign
from process import Server, wait_for
from small_disk import SmallDisk, opened_small_disk
from ward import Ward, at_once, needs_strace, opened_ward

DISK = ("EIO", "ENOSPC")
RIGHTS = ("EACCES", "EPERM")
CALLS = {"pwrite64": DISK, "fdatasync": DISK, "ftruncate": DISK, "openat": RIGHTS}
PLACES = {"pwrite64": 40, "fdatasync": 12, "ftruncate": 12, "openat": 3}
"""Of which of the first calls of a thread one fails."""
YEARLY = "0 6 1 1 *"
CORRUPT = (0, 1, 2, 3)
"""Exit codes of a server that ends by itself: in order or with a reason."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with opened_small_disk(tmp_path / "small") as opened:
        yield opened


@pytest.fixture
def ward() -> Iterator[Ward]:
    with opened_ward() as opened:
        yield opened


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    project = tmp_path / "project"
    (project / "datasets").mkdir(parents=True)
    (project / "dli.yaml").write_text("project: {name: disk}\n")
    started = Server(project)
    started.wait_until_ready()
    yield started
    started.process.kill()
    started.process.wait()


def test_t12_a_disk_that_fills_up_again_and_again_costs_nothing_stored(
    campaign: Campaign, disk: SmallDisk
) -> None:
    kept: set[str] = set()
    for number in range(campaign.size(ci=3, long=20)):
        run_id = disk.start_slow_run(name := f"a.slow{number}")
        taken, answer = disk.fill_up(f"a.n{number}x")
        kept |= {name} | taken
        assert (answer.status_code, answer.code) == (503, "DLI-504")
        assert disk.names() == kept
        begun = time.monotonic()
        stopped = record(disk.client.workflow_stop(run_id))
        campaign.count("stops on a full disk")
        assert stopped["status"] == "KILLED"
        assert time.monotonic() - begun < 5
        disk.ballast.unlink()
        wait_for(disk.is_ready)
        for name in taken:  # room for the next round
            assert disk.client.workflow_unregister(name).success
        kept -= taken
        campaign.count("full disks")
        wait_for(lambda: (disk.root / ".dli" / "reserve").exists() or not disk.is_ready())
    assert disk.names() == kept


@needs_strace
@pytest.mark.timeout(600)
def test_t12_a_disk_that_fails_or_refuses_at_any_call_costs_nothing_acknowledged(
    campaign: Campaign, ward: Ward
) -> None:
    def spoil(number: int) -> bool:
        dice = random.Random(f"{campaign.seed}-{number}")
        call = dice.choice(list(CALLS))
        error = dice.choice(CALLS[call])
        place = dice.randint(1, PLACES[call])
        try:
            with ward.case(dice.randrange(10**9)) as case:
                file = Path(case.project, ".dli", "basecamp.db")
                only = [file, file.with_name("basecamp.db-wal")]
                is_hit = ward.play_traced(case, f"{call}:error={error}:when={place}", only=only)
                ward.check(case)
                return is_hit
        except AssertionError as exc:
            exc.add_note(f"{error} of {call} number {place}")
            raise

    cases = campaign.size(ci=8, long=300)
    for is_hit in at_once(spoil, range(cases)):
        campaign.count("cases")
        campaign.count("errors of the disk", int(is_hit))
    campaign.figure("errors of the disk", campaign.counts["errors of the disk"], at_least=cases / 4)


def test_t12_a_store_that_another_program_holds_is_busy_and_loses_no_tick(
    campaign: Campaign, server: Server
) -> None:
    client = server.client()
    spec = {"name": "a.b", "owner": "ana", "team": "t", "query_statement": "SELECT 1"}
    assert client.workflow_register("a.b", "* * * * *", spec=spec).success
    slowest = 0.0
    for _ in range(campaign.size(ci=1, long=10)):
        before = fires(server)
        with closing(sqlite3.connect(server.state / "basecamp.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            status, waits = post(server, "/workflows/a.b/run")
            slowest = max(slowest, time.monotonic() - begun)
            assert (status, waits) == (503, "1")
            campaign.count("requests refused as busy")
            # Over the next minute, when a tick is due.
            threading.Event().wait(60 - time.time() % 60 + 1)
            other.execute("ROLLBACK")
        wait_for(lambda before=before: fires(server) > before)  # type: ignore[misc]
        campaign.count("ticks while it was held")
    campaign.figure("slowest refusal", slowest, "s", limit=6)


def fires(server: Server) -> int:
    with closing(sqlite3.connect(server.state / "basecamp.db")) as store:
        found = store.execute("SELECT count(*) FROM run WHERE run_type = 'scheduled'").fetchone()
        return int(found[0])


def post(server: Server, path: str) -> tuple[int, str | None]:
    """Status and `Retry-After` of one request that nobody repeats."""
    from http.client import HTTPConnection

    token = (server.state / "token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.request("POST", f"/api/v1{path}", json.dumps({}), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("Retry-After")


def test_t12_a_damaged_store_is_refused_in_one_line_and_left_alone(
    campaign: Campaign, server: Server, tmp_path: Path
) -> None:
    for number in range(30):
        name = f"a.n{number}"
        spec = {"name": name, "owner": "ana", "team": "t", "query_statement": "SELECT 1"}
        assert server.client().workflow_register(name, YEARLY, spec=spec).success
    assert server.stop() == 0
    for _ in range(campaign.size(ci=8, long=200)):
        with closing(Damaged(server.project, tmp_path / "damaged", campaign.random)) as damaged:
            campaign.count("damaged stores")
            campaign.count("refused", int(damaged.is_refused()))
    campaign.figure("refused", campaign.counts["refused"], at_least=1)


class Damaged:
    """A copy of a project whose store is cut short, or has bytes of noise in some page."""

    def __init__(self, project: Path, folder: Path, dice: random.Random) -> None:
        self._folder = folder
        shutil.copytree(project, folder)
        self._file = folder / ".dli" / "basecamp.db"
        whole = bytearray(self._file.read_bytes())
        if dice.random() < 0.3:
            del whole[dice.randrange(1, len(whole)) :]
        else:
            start = dice.randrange(0, len(whole) - 512)
            whole[start : start + 512] = dice.randbytes(512)
        self._file.write_bytes(whole)
        self._before = bytes(whole)

    def is_refused(self) -> bool:
        """Whether no server starts on it; one that starts answers and ends in order."""
        command = [sys.executable, "-m", "basecamp", "serve", "--project", str(self._folder)]
        with subprocess.Popen(
            [*command, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            started = process.stdout.readline()
            if started:
                process.terminate()
            _, errors = process.communicate(timeout=60)
        assert "Traceback" not in errors, errors
        if started:
            assert process.returncode in CORRUPT
            return False
        assert process.returncode == 3, errors
        assert len(errors.strip().splitlines()) == 1, errors
        assert self._file.read_bytes() == self._before
        return True

    def close(self) -> None:
        shutil.rmtree(self._folder)
