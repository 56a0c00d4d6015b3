"""`make demo-airflow` tells its whole story and leaves nothing behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


def test_the_story_on_airflow_goes_on_without_basecamp(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(DEMO), "--engine", "airflow"],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    story = done.stdout
    assert done.returncode == 0, story + done.stderr
    assert re.search(r"scheduled__flights\.scratch\.minutely__\S+ .* COMPLETED", story)
    assert story.index("2 added") < story.index(": KILLED") < story.index("$ kill -9")
    assert "7/7" in done.stderr
    assert list(tmp_path.iterdir()) == []
