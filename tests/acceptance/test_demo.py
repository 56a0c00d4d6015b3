"""`make demo` tells its whole story, twice at once if need be, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from process import wait_for

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"
Start = Callable[[Path], "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the demo in a session of its own, with a folder for its temporary files."""
    demos: list[subprocess.Popen[bytes]] = []

    def start_in(folder: Path) -> subprocess.Popen[bytes]:
        folder.mkdir()
        environment = os.environ | {"TMPDIR": str(folder)}
        command = [sys.executable, str(DEMO)]
        with folder.with_suffix(".out").open("wb") as out:
            demo = subprocess.Popen(
                command, env=environment, stdout=out, stderr=out, start_new_session=True
            )
        demos.append(demo)
        return demo

    yield start_in
    for demo in demos:
        demo.kill()
        demo.wait()


def said(folder: Path) -> str:
    return folder.with_suffix(".out").read_text(encoding="utf-8")


def answers(story: str) -> bool:
    """Whether the server of the story is still there."""
    (port,) = re.findall(r"Basecamp runs at http://127\.0\.0\.1:(\d+)", story)
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


def test_two_demos_at_once_tell_the_whole_story(tmp_path: Path, start: Start) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    demos = [start(folder) for folder in folders]
    assert [demo.wait(90) for demo in demos] == [0, 0], said(folders[0]) + said(folders[1])
    for folder in folders:
        story = said(folder)
        assert story.index("2 added") < story.index("as a MANUAL workflow") < story.index("7/7")
        assert story.index("7/7") < story.index(": KILLED") < story.index("DATASET  ")
        assert list(folder.iterdir()) == []
        assert not answers(story)


def test_an_interrupted_demo_cleans_up_after_itself(tmp_path: Path, start: Start) -> None:
    folder = tmp_path / "demo"
    demo = start(folder)
    wait_for(lambda: "Seven days" in said(folder))
    os.killpg(demo.pid, signal.SIGINT)
    assert demo.wait(30) == 130
    story = said(folder)
    assert "Traceback" not in story
    assert list(folder.iterdir()) == []
    assert not answers(story)
