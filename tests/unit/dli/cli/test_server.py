"""`dli up|down`, with a small process in the place of Basecamp."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from dli.config import read_server_state, state_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

    Dli = Callable[..., Result]

# What `dli up` leaves behind is meant to outlive it.
pytestmark = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")

STAND_IN = """
import http.server, json, os, pathlib, signal, sys
basecamp, state, on_term = sys.argv[1:]
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"status": "ok", "version": "0.4.0"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Health)
def end(*_):
    pathlib.Path(state).unlink()
    os._exit(0)
signal.signal(signal.SIGTERM, end if on_term == "end" else signal.SIG_IGN)
url = f"http://127.0.0.1:{server.server_port}"
pathlib.Path(state).write_text(json.dumps({"url": url, "token": "t", "pid": os.getpid()}))
server.serve_forever()
"""


@pytest.fixture
def project(clean_place: Path) -> Path:
    (clean_place / "dli.yaml").write_text("version: '1'\n")
    return clean_place


@pytest.fixture
def stand_in(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Chooses what `dli up` starts; ends whatever is left of it."""

    def start_instead(code: str = STAND_IN, on_term: str = "end") -> None:
        state = str(state_dir(project) / "basecamp.json")
        command = [sys.executable, "-c", code, "basecamp", state, on_term]
        monkeypatch.setattr("dli.cli.server._command", lambda *_: command)

    start_instead()
    yield start_instead
    state = read_server_state(project)
    if state is not None:
        os.kill(state.pid, signal.SIGKILL)


@pytest.mark.usefixtures("stand_in")
def test_up_and_down(dli: Dli, project: Path) -> None:
    started = dli("up")
    state = read_server_state(project)
    assert state is not None
    assert (started.exit_code, started.stdout) == (
        0,
        f"Basecamp runs at {state.url} (pid {state.pid}).\n",
    )
    assert dli("up").stderr == f"Basecamp already runs at {state.url} (pid {state.pid}).\n"
    elsewhere = dli("up", "--port", "1")
    assert (elsewhere.exit_code, "dli down" in elsewhere.stderr) == (1, True)
    stopped = dli("down")
    assert (stopped.exit_code, stopped.stdout) == (0, "Basecamp has stopped.\n")
    assert read_server_state(project) is None
    assert dli("down").stderr == "No Basecamp runs for this project.\n"


@pytest.mark.usefixtures("stand_in")
def test_only_the_owner_can_read_state_and_log(dli: Dli, project: Path) -> None:
    dli("up")
    assert state_dir(project).stat().st_mode & 0o777 == 0o700
    assert (state_dir(project) / "basecamp.log").stat().st_mode & 0o777 == 0o600


def test_down_kills_what_does_not_end(
    dli: Dli, stand_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dli.cli.server.STOP_S", 0.2)
    stand_in(on_term="stay")
    dli("up")
    result = dli("down")
    assert result.exit_code == 0
    assert "was killed" in result.stdout


@pytest.mark.parametrize(
    "line",
    [
        r"the port is \x1b[31mtaken",
        "Error [DLI-001] the port is taken",
        '{"level": "error", "event": "the port is taken"}',
    ],
)
def test_a_server_that_does_not_start_is_one_line_with_its_last_word(
    dli: Dli, stand_in: Callable[..., None], line: str
) -> None:
    stand_in(f"raise SystemExit('{line}')")
    result = dli("up")
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "Error [DLI-503]: Basecamp did not start: the port is taken. Its log: "
    )
    assert result.stderr.count("\n") == 1


def test_a_server_that_never_answers_is_ended(
    dli: Dli, stand_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("dli.cli.server.START_S", 0.2)
    stand_in("import os, sys, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)")
    result = dli("up")
    assert "did not answer within 0.2 s" in result.stderr
    pid = tmp_path / "pid"
    if pid.exists():
        wait_for_end(int(pid.read_text()))


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.waitpid(pid, os.WNOHANG)
            os.kill(pid, 0)
        except (ChildProcessError, ProcessLookupError):
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} goes on")


def test_down_leaves_a_stranger_with_the_same_process_id_alone(dli: Dli, project: Path) -> None:
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(sleeper) as stranger:
        state_dir(project).mkdir()
        state = {"url": "http://127.0.0.1:9", "token": "t", "pid": stranger.pid}
        (state_dir(project) / "basecamp.json").write_text(json.dumps(state))
        result = dli("down")
        assert (result.exit_code, stranger.poll()) == (0, None)
        assert result.stderr == "No Basecamp runs for this project.\n"
        stranger.kill()


@pytest.mark.parametrize("verb", ["up", "down"])
def test_outside_of_a_project_there_is_nothing_to_start_or_stop(dli: Dli, verb: str) -> None:
    result = dli(verb)
    assert (result.exit_code, result.stderr[:16]) == (1, "Error [DLI-002]:")
    assert "`dli init`" in result.stderr
