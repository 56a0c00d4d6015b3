"""A Basecamp whose project and state lie on a disk of four megabytes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from answer import record
from dli.core.client import BasecampClient, ServerConfig, ServerResponse
from process import wait_for

__all__ = ["SmallDisk", "opened_small_disk"]

SLOW = "SELECT count(*) FROM range(100000000) a, range(1000) b WHERE (a.range + b.range) % 7 = 3"
# A file system of its own in a name space of its own; gone with the process.
_SMALL = 'mount -t tmpfs -o size=4m,mode=0700 none "$1" && touch "$1/dli.yaml" && exec "$2" -m \
basecamp serve --project "$1" --port 0'


class SmallDisk:
    """A Basecamp whose project and state lie on a disk of four megabytes."""

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
        """Take all that is left, and what the store had room for without asking the disk."""
        with self.ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x" * 4096)

    def register(self, name: str) -> ServerResponse:
        own = {"name": name, "owner": "ana", "team": "t", "query_statement": "SELECT 1"}
        words = {"description": name * 500}
        return self.client.workflow_register(name, "0 6 * * *", spec=own | words, force=True)

    def fill_up(self, prefix: str) -> tuple[set[str], ServerResponse]:
        """Fill the disk and register until that is refused: what was taken, and the refusal."""
        self.fill()
        taken: set[str] = set()
        for number in range(400):  # a log that begins anew has room for a few
            answer = self.register(name := f"{prefix}{number}")
            if not answer.success:
                break
            taken.add(name)
        return taken, answer

    def start_slow_run(self, name: str) -> str:
        """A run that works for hours, from when its SQL runs."""
        own = {"name": name, "owner": "ana", "team": "t", "query_statement": SLOW}
        assert self.client.workflow_register(name, "0 6 1 1 *", spec=own).success
        run_id = str(record(self.client.workflow_run(name))["run_id"])
        wait_for(lambda: record(self.client.workflow_status(run_id))["status"] == "RUNNING")
        return run_id

    def names(self) -> set[str]:
        found = self.client.workflow_list()
        assert isinstance(found.data, list)
        return {record["dataset_name"] for record in found.data}

    def is_ready(self) -> bool:
        return self.client.health_check().success


@contextmanager
def opened_small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Skips the test where the system lets its users mount nothing."""
    folder.mkdir()
    attempt = ["unshare", "-Urm", "mount", "-t", "tmpfs", "none", str(folder)]
    if subprocess.run(attempt, capture_output=True, check=False).returncode != 0:
        pytest.skip("this system lets its users mount nothing")
    opened = SmallDisk(folder)
    yield opened
    opened.process.kill()
    opened.process.wait()
