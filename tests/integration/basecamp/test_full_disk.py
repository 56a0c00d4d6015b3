"""A server whose disk fills up: it says so, loses nothing, and goes on when there is space."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dli.core.client import BasecampClient, ServerConfig, ServerResponse
from process import wait_for

# A file system of its own in a name space of its own; gone with the process.
_SMALL = 'mount -t tmpfs -o size=2m,mode=0700 none "$1" && touch "$1/dli.yaml" && exec "$2" -m \
basecamp serve --project "$1" --port 0'


class SmallDisk:
    """A Basecamp whose project and state lie on a disk of two megabytes."""

    def __init__(self, folder: Path) -> None:
        command = ["unshare", "-Urm", "sh", "-c", _SMALL, "sh", str(folder), sys.executable]
        with (folder.parent / "server.log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        # How the disk looks from outside of its name space.
        self.root = Path(f"/proc/{self.process.pid}/root{folder}")
        self.ballast = self.root / "ballast"
        told = wait_for(lambda: json.loads((self.root / ".dli" / "basecamp.json").read_text()))
        # Too little patience for another try, which the server asks for in five seconds.
        self.client = BasecampClient(ServerConfig(told["url"], 4, told["token"]))

    def fill(self) -> None:
        with self.ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x" * 4096)

    def register(self, name: str) -> ServerResponse:
        own = {"name": name, "owner": "ana", "team": "t", "query_statement": "SELECT 1"}
        words = {"description": name * 500}
        return self.client.workflow_register(name, "0 6 * * *", spec=own | words, force=True)

    def names(self) -> set[str]:
        found = self.client.workflow_list()
        assert isinstance(found.data, list)
        return {record["dataset_name"] for record in found.data}

    def is_ready(self) -> bool:
        return self.client.health_check().success


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "small"
    folder.mkdir()
    attempt = ["unshare", "-Urm", "mount", "-t", "tmpfs", "none", str(folder)]
    if subprocess.run(attempt, capture_output=True, check=False).returncode != 0:
        pytest.skip("this system lets its users mount nothing")
    opened = SmallDisk(folder)
    yield opened
    opened.process.kill()
    opened.process.wait()


def test_f3_a_full_disk_is_said_and_nothing_that_was_stored_is_lost(disk: SmallDisk) -> None:
    assert disk.register("a.first").success
    disk.fill()
    kept = {"a.first"}
    for number in range(200):  # a log that begins anew has room for a few
        answer = disk.register(f"a.n{number}")
        if not answer.success:
            break
        kept.add(f"a.n{number}")
    assert (answer.status_code, answer.code) == (503, "DLI-504")
    assert "full" in str(answer.error)
    assert not disk.is_ready()
    assert disk.names() == kept
    disk.ballast.unlink()
    wait_for(disk.is_ready)
    assert disk.register("a.last").success
    assert disk.names() == kept | {"a.last"}
