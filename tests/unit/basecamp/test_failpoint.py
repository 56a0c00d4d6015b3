"""A point ends the process at the passage that was asked for, once, and otherwise does nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from basecamp.failpoint import VARIABLE

PASSES = """
from basecamp.failpoint import failpoint
for number in range(3):
    failpoint("other")
    failpoint("here")
    print(number, flush=True)
"""


def passed(asked: str | None) -> tuple[int, list[str]]:
    asking = {} if asked is None else {VARIABLE: asked}
    command = [sys.executable, "-c", PASSES]
    done = subprocess.run(
        command, env=os.environ | asking, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.split()


def test_a_process_ends_at_the_passage_that_was_asked_for_once(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    assert passed(f"here:2:{mark}") == (-signal.SIGKILL, ["0"])
    assert mark.exists()
    assert passed(f"here:2:{mark}") == (0, ["0", "1", "2"])


def test_nothing_happens_at_a_point_that_nobody_asked_for(tmp_path: Path) -> None:
    assert passed(None) == (0, ["0", "1", "2"])
    assert passed(f"elsewhere:1:{tmp_path / 'mark'}") == (0, ["0", "1", "2"])
