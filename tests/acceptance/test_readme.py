"""Every command and script of the README does what it says, in the order of the page."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shell import Shell

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Shell]:
    yield Shell(tmp_path, tmp_path)
    if (tmp_path / "shop").exists():
        Shell(tmp_path / "shop", tmp_path).dli("down")


def test_the_tour_works_line_by_line(terminal: Shell) -> None:
    (_, _make), *tour = BLOCKS
    said = ""
    port = "PORT"
    for language, text in tour:
        for line in text.splitlines() if language == "shell" else [text]:
            ids = re.findall(r"backfill-\S+", said) or ["RUN_ID"]
            command = line.replace("RUN_ID", ids[0]).replace("PORT", port)
            words = ("bash", "-c", command) if language == "shell" else (sys.executable, "-c", text)
            done = terminal.run(*words)
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            said = done.stdout
            port = (re.findall(r"127\.0\.0\.1:(\d+)", said) or [port])[0]
            if found := re.search(r"\bcd (\w+)", command):
                terminal = Shell(terminal.directory / found[1], terminal.home)
    assert said == "Basecamp has stopped.\n"


def test_both_make_commands_are_targets() -> None:
    targets = re.findall(r"^make (\w+)", BLOCKS[0][1], re.MULTILINE)
    assert targets == ["demo", "test"]
    for target in targets:
        plan = ["make", "--dry-run", "--always-make", target]
        assert subprocess.run(plan, cwd=ROOT, check=False, capture_output=True).returncode == 0


def test_every_linked_page_exists() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
