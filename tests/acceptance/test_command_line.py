"""A newcomer's first hour at a terminal: a new project, its server, runs, typos, Ctrl-C."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from process import wait_for
from shell import Shell

pytestmark = pytest.mark.serial

DAILY = "shop.sales.daily_revenue"
SLOW = "shop.sales.slow"
SLOW_FILE = """
name: shop.sales.slow
owner: ana@example.com
team: sales
query_statement: |
  CREATE TABLE shop.sales.slow_result AS
  SELECT COUNT(*) AS n
  FROM UNNEST(SEQUENCE(1, 9000)) a(x), UNNEST(SEQUENCE(1, 9000)) b(y),
    UNNEST(SEQUENCE(1, 9000)) c(z)
  WHERE (x * y + z) % 7 = 3
"""


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A new project whose server runs and whose datasets are published."""
    place = tmp_path_factory.mktemp("newcomer")
    Shell(place, place).dli("init", "project")
    shell = Shell(place / "project", place)
    (shell.directory / "datasets" / f"dataset.{SLOW}.yaml").write_text(SLOW_FILE)
    shell.dli("up")
    shell.dli("workflow", "publish")
    yield shell
    shell.dli("down")
    assert not (shell.directory / ".dli" / "basecamp.json").exists()


def failed(shell: Shell, *words: str, **variables: str) -> str:
    """The one line that a failed command says."""
    done = shell.run("dli", *words, **variables)
    assert (done.returncode, done.stdout) == (1, ""), done
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def days_ago(days: int) -> str:
    return str(datetime.now(UTC).date() - timedelta(days=days))


def test_what_was_published_is_listed_as_code(shell: Shell) -> None:
    listed = {w["dataset_name"]: w for w in shell.json("workflow", "list")}
    assert {name: w["source_type"] for name, w in listed.items()} == {DAILY: "code", SLOW: "code"}
    assert listed[DAILY]["next_run"].endswith("T06:00:00Z")
    assert shell.json("workflow", "publish", "--dry-run")["unchanged"] == [DAILY, SLOW]


def test_a_run_that_is_waited_for_has_filled_the_table(shell: Shell) -> None:
    run = shell.json("workflow", "run", DAILY, "--wait")
    assert (run["status"], run["rows_affected"]) == ("COMPLETED", 1)
    assert run["run_id"] in shell.dli("workflow", "history", "--dataset", DAILY)
    assert "Completed" in shell.dli("workflow", "logs", run["run_id"])


def test_follow_shows_the_log_and_then_the_fate(shell: Shell) -> None:
    lines = shell.dli("workflow", "run", DAILY, "--follow").splitlines()
    assert len(lines) > 2
    assert re.fullmatch(rf"Run \S+ of {DAILY}: COMPLETED after \d+\.\d s", lines[-1])


def test_a_dry_run_shows_the_sql_and_starts_nothing(shell: Shell) -> None:
    before = len(shell.json("workflow", "history", "--limit", "500"))
    assert "INSERT INTO shop.sales.daily_revenue" in shell.dli(
        "workflow", "run", DAILY, "--dry-run"
    )
    assert len(shell.json("workflow", "history", "--limit", "500")) == before


def test_a_backfill_tells_its_days_and_leaves_out_completed_ones(shell: Shell) -> None:
    words = ["workflow", "backfill", DAILY, "--start", days_ago(6), "--end", days_ago(4), "--wait"]
    done = shell.run("dli", *words)
    assert done.returncode == 0
    assert [line.split()[1:] for line in done.stderr.splitlines()] == [
        [days_ago(days), "COMPLETED"] for days in (6, 5, 4)
    ]
    again = shell.json(*words[:5], "--end", days_ago(3), "--skip-completed", "--wait")
    assert [run["date"] for run in again["runs"]] == [days_ago(3)]


def test_ctrl_c_ends_the_wait_and_stop_ends_the_run(shell: Shell) -> None:
    command = ["dli", "workflow", "run", SLOW, "--wait"]
    waiting = subprocess.Popen(
        command,
        cwd=shell.directory,
        env=shell.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    running = wait_for(lambda: shell.json("workflow", "history", "-d", SLOW, "-s", "RUNNING"))
    run_id = running[0]["run_id"]
    waiting.send_signal(signal.SIGINT)
    _, said = waiting.communicate(timeout=30)
    assert waiting.returncode == 130
    assert f"dli workflow stop {run_id}" in said
    assert "Traceback" not in said
    assert shell.json("workflow", "status", run_id)["status"] == "RUNNING"
    assert "KILLED" in shell.dli("workflow", "stop", run_id, "--reason", "too slow")
    assert shell.json("workflow", "status", run_id)["stop_reason"] == "too slow"
    assert "DLI-807" in failed(shell, "workflow", "stop", run_id)


def test_a_failed_run_decides_the_exit_code(shell: Shell) -> None:
    name = "shop.sales.broken"
    file = shell.directory / "datasets" / f"dataset.{name}.yaml"
    file.write_text(
        f"name: {name}\nowner: a\nteam: b\nquery_statement: SELECT nothing FROM shop.raw.absent\n"
    )
    try:
        shell.dli("workflow", "register", name, "--cron", "0 9 * * *", "--timezone", "Asia/Seoul")
        done = shell.run("dli", "workflow", "run", name, "--wait")
        assert done.returncode == 1
        assert ": FAILED" in done.stdout
        assert re.match(r"Error \[DLI-802\]: Run \S+ is FAILED: ", done.stderr)
        shell.dli("workflow", "unregister", name)
        assert "DLI-800" in failed(shell, "workflow", "run", name)
    finally:
        file.unlink()


def test_pause_with_reason_and_end(shell: Shell) -> None:
    until = days_ago(-3)
    said = shell.dli("workflow", "pause", DAILY, "--reason", "late data", "--until", until)
    assert f"It resumes at {until} 00:00 UTC" in said
    shown = shell.json("workflow", "show", DAILY)
    assert (shown["status"], shown["pause_reason"]) == ("paused", "late data")
    assert "is paused" in shell.run("dli", "workflow", "next", DAILY).stderr
    shell.dli("workflow", "unpause", DAILY)
    assert shell.json("workflow", "show", DAILY)["status"] == "active"


BAD_INPUT = [
    ("workflow run shop.sales.dayly", "Error [DLI-800]: shop.sales.dayly: "),
    ("workflow run ../../etc/passwd", "Error [DLI-204]: "),
    (f"workflow run {DAILY} -p what=1", "Error [DLI-204]: "),
    (f"workflow run {DAILY} -p ds=tomorrow", "Error [DLI-204]: "),
    (f"workflow backfill {DAILY} -s 2025-01-02 -e 2025-01-01", "Error [DLI-204]: "),
    ("workflow status no-such-run", "Error [DLI-800]: "),
    ("workflow stop no-such-run", "Error [DLI-802]: "),
    (f"workflow register {DAILY} --cron @daily", "Error [DLI-805]: "),
    (f"workflow register {DAILY} --cron 0\t9\t*\t*\t* --timezone Mars", "Error [DLI-805]: "),
    (f"workflow register {DAILY} --cron 0\t9\t*\t*\t* --force", "Error [DLI-803]: "),
    (f"workflow unregister {DAILY}", "Error [DLI-803]: "),
    (f"workflow unpause {DAILY}", "Error [DLI-807]: "),
]


def test_bad_input_is_one_line_and_changes_nothing(shell: Shell) -> None:
    before = shell.json("workflow", "list"), shell.json("workflow", "history")
    for line, start in BAD_INPUT:
        words = [word.replace("\t", " ") for word in line.split(" ")]
        assert failed(shell, *words).startswith(start), line
    assert (shell.json("workflow", "list"), shell.json("workflow", "history")) == before


def test_a_close_name_is_offered(shell: Shell) -> None:
    assert f"Did you mean '{DAILY}'?" in failed(shell, "workflow", "run", f"{DAILY}s")


def test_one_bad_file_stops_the_whole_publication(shell: Shell) -> None:
    bad = shell.directory / "datasets" / "dataset.shop.sales.bad.yaml"
    bad.write_text("name: shop.sales.bad\nowner: a\nteam: b\nquery_statement: SELEC 1\n")
    try:
        done = shell.run("dli", "workflow", "publish")
        assert (done.returncode, done.stdout) == (1, "")
        assert "dataset.shop.sales.bad.yaml" in done.stderr
        assert len(shell.json("workflow", "list")) == 2
    finally:
        bad.unlink()


@pytest.mark.parametrize(
    ("variables", "start"),
    [
        ({"DLI_API_TOKEN": "wrong"}, "Error [DLI-502]: "),
        ({"DLI_SERVER_URL": "http://127.0.0.1:9"}, "Error [DLI-501]: "),
        ({"DLI_SERVER_URL": "nowhere"}, "Error [DLI-001]: "),
        ({"DLI_CONFIG_FILE": "/no/such/dli.yaml"}, "Error [DLI-002]: "),
    ],
)
def test_a_server_that_cannot_be_used_is_one_line(
    shell: Shell, variables: dict[str, str], start: str
) -> None:
    assert failed(shell, "workflow", "list", **variables).startswith(start)


def test_completion_knows_names_and_runs(shell: Shell) -> None:
    words = ["dli", "workflow", "run", "shop.sales.d"]
    env = {"_DLI_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": "3"}
    assert shell.run("dli", **env).stdout == f"plain,{DAILY}\n"


def test_doctor_and_status_are_content(shell: Shell) -> None:
    states = {check["name"]: check["state"] for check in shell.json("doctor")}
    assert set(states.values()) == {"ok"}
    assert {"project", "specs", "server", "token", "state folder"} <= states.keys()
    shell.dli("config", "status")


def test_no_command_shows_the_token(shell: Shell) -> None:
    token = shell.state["token"]
    for words in ("config show", "config show --format json", "info", "doctor", "workflow list"):
        done = shell.run("dli", *words.split(), DLI_DEBUG="1")
        assert token not in done.stdout + done.stderr


def test_only_the_owner_can_read_the_state(shell: Shell) -> None:
    folder = shell.directory / ".dli"
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "basecamp.json").stat().st_mode & 0o077 == 0


def test_down_and_up_keep_everything(shell: Shell) -> None:
    before = shell.json("workflow", "history", "--limit", "500")
    assert shell.dli("down") == "Basecamp has stopped.\n"
    assert not (shell.directory / ".dli" / "basecamp.json").exists()
    assert "`dli up`" in failed(shell, "workflow", "list")
    assert "Basecamp runs at http://127.0.0.1:" in shell.dli("up")
    assert shell.json("workflow", "history", "--limit", "500") == before


def test_two_starts_at_once_leave_one_server(shell: Shell) -> None:
    shell.dli("down")
    starts = [
        subprocess.Popen(
            ["dli", "up"],
            cwd=shell.directory,
            env=shell.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    assert [start.wait(60) for start in starts] == [0, 0]
    assert json.loads(shell.dli("workflow", "list", "--format", "json"))
