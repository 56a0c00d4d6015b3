"""Basecamp in the foreground, as `make serve` starts it."""

import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from shell import Shell

EXAMPLE = Path(__file__).parents[2] / "examples" / "flights"


def test_it_says_where_it_runs_and_ends_on_ctrl_c(open_shell: Callable[[Path], Shell]) -> None:
    shell = open_shell(EXAMPLE)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    process = subprocess.Popen(
        ["dli", "up", "--foreground", "--port", port],
        cwd=shell.directory,
        env=shell.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert shell.state["url"] == f"http://127.0.0.1:{port}"
        assert line == f"Basecamp runs at {shell.state['url']} (pid {process.pid}).\n"
        shell.dli("workflow", "list")
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in log
    assert shell.dli("workflow", "list", status=1) == ""
