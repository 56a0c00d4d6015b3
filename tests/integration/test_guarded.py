"""What the tests start for themselves does not outlive them."""

import subprocess
import sys
from pathlib import Path

from process import wait_for

SUPPORT = Path(__file__).parents[1] / "support"
TESTS = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from guarded import Guarded
told = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"
Guarded(Path(sys.argv[2]), [sys.executable, "-c", told])
time.sleep(600)
"""


def test_a_server_ends_when_the_tests_are_killed(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with subprocess.Popen([sys.executable, "-c", TESTS, SUPPORT, folder]) as tests:
        pid = wait_for((folder / "pid").read_text)
        assert Path("/proc", pid).exists()
        tests.kill()
    wait_for(lambda: not Path("/proc", pid).exists())
    wait_for(lambda: not folder.exists())
