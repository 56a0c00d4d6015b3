"""Every command that the page for operators names does what it is named for, on a real server."""

import re
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from process import Server

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
# Named for what they are; other pages show them with all that they need.
NAMED_ONLY = {
    "dli up",
    "dli backup",
    "dli workflow backfill",
    "dli workflow backfill --skip-completed",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "dli.yaml").write_text("project: {name: told}\n")
    started = Server(tmp_path)
    started.wait_until_ready()
    yield started
    assert started.stop() == 0


def run(server: Server, command: str) -> str:
    _, *words = shlex.split(command)
    token = (server.state / "token").read_text().strip()
    done = subprocess.run(
        [sys.executable, "-m", "dli", *words],
        env={"DLI_SERVER_URL": f"http://127.0.0.1:{server.port}", "DLI_API_TOKEN": token},
        cwd=server.project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


def test_each_command_of_the_page_works(server: Server) -> None:
    commands = set(re.findall(r"`(dli [^`]+)`", PAGE.read_text(encoding="utf-8"))) - NAMED_ONLY
    assert len(commands) == 4
    for command in sorted(commands):
        run(server, command)


def test_the_token_that_it_makes_reads_the_figures(server: Server) -> None:
    shown = run(server, "dli token create prometheus --role viewer --team monitoring")
    found = re.search(r"bcp_\w+", shown)
    assert found is not None
    asked = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/metrics",
        headers={"Authorization": f"Bearer {found.group()}"},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert b"basecamp_part_ok" in answer.read()
