"""Users who check their types strictly see exact types and their own mistakes, none of ours."""

import subprocess
import sys
from pathlib import Path

USER = Path(__file__).with_name("user.py")


def test_a_strict_user_sees_the_types_that_we_promise(tmp_path: Path) -> None:
    # Away from this project: its plugins and paths are not the user's.
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--config-file=",
            f"--cache-dir={tmp_path}",
            USER,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.startswith("Success"), done.stdout + done.stderr
