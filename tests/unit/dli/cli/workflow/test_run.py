"""`dli workflow run|backfill|stop`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from tests.unit.dli.cli.conftest import ScriptedServer

    Dli = Callable[..., Result]


def run_record(status: str = "PENDING", **more: Any) -> dict[str, Any]:
    return {"run_id": "r1", "dataset_name": "a.b", "status": status, "parameters": {}, **more}


def backfill_record(*states: str) -> dict[str, Any]:
    days = [
        {"run_id": f"d{number}", "date": f"2025-01-0{number}", "status": state}
        for number, state in enumerate(states, 1)
    ]
    status = "RUNNING" if "PENDING" in states else states[-1]
    return run_record(status) | {
        "start_date": "2025-01-01",
        "end_date": f"2025-01-0{len(days)}",
        "total_runs": len(days),
        "runs": days,
    }


def test_run_prints_id_and_status(mock_dli: Dli) -> None:
    result = mock_dli("workflow", "run", "a.b")
    assert result.exit_code == 0
    assert result.stdout.startswith("Run a.b_")
    assert result.stdout.endswith(" of a.b: PENDING\n")


def test_run_as_json_is_the_record(mock_dli: Dli) -> None:
    words = ["-p", "n=5", "-p", "s=007", "-p", "flag=True", "-p", "list=x,y", "-f", "json"]
    record = json.loads(mock_dli("workflow", "run", "a.b", *words).stdout)
    assert record["params"] == {"n": 5, "s": "007", "flag": True, "list": ["x", "y"]}


def test_what_the_rule_would_change_reaches_the_server_as_text(
    dli: Dli, server: ScriptedServer
) -> None:
    server.on("POST /workflows/a.b/run", (202, run_record()))
    pairs = ["n=5", "x=1.5", "ok=True", "day=2025-01-01", "version=1.50", "names=a,b"]
    dli("workflow", "run", "a.b", *[word for pair in pairs for word in ("-p", pair)])
    (body,) = server.asked("POST /workflows/a.b/run")
    assert body["parameters"] == {
        "n": 5,
        "x": 1.5,
        "ok": True,
        "day": "2025-01-01",
        "version": "1.50",
        "names": "a,b",
    }


@pytest.mark.parametrize("text", ["n", "=5", ""])
def test_a_parameter_without_key_is_refused_before_anything_is_sent(
    dli: Dli, server: ScriptedServer, text: str
) -> None:
    result = dli("workflow", "run", "a.b", "-p", text)
    assert (result.exit_code, server.requests) == (1, [])
    assert result.stderr.startswith("Error [DLI-204]: ")


def test_dry_run_says_so_and_shows_the_sql(dli: Dli, server: ScriptedServer) -> None:
    answer = {"dataset_name": "a.b", "dry_run": True, "parameters": {}, "statements": ["SELECT 1"]}
    server.on("POST /workflows/a.b/run", (200, answer))
    result = dli("workflow", "run", "a.b", "--dry-run")
    assert "dry-run" in result.stdout
    assert result.stdout.endswith("SELECT 1\n")
    assert server.asked("POST /workflows/a.b/run")[0]["dry_run"] is True


@pytest.mark.parametrize(
    ("last", "exit_code"),
    [
        (run_record("COMPLETED", duration_seconds=0.25), 0),
        (run_record("FAILED", error_message="no such table"), 1),
        (run_record("KILLED", stop_reason="too slow"), 1),
    ],
)
def test_wait_exits_with_the_fate_of_the_run(
    dli: Dli, server: ScriptedServer, last: dict[str, Any], exit_code: int
) -> None:
    server.on("POST /workflows/a.b/run", (202, run_record()))
    server.on("GET /workflows/runs/r1", (200, run_record("RUNNING")), (200, last))
    result = dli("workflow", "run", "a.b", "--wait")
    assert result.exit_code == exit_code
    assert result.stdout.startswith(f"Run r1 of a.b: {last['status']}")
    reason = last.get("error_message") or last.get("stop_reason")
    if reason:
        assert f"Error [DLI-802]: Run r1 is {last['status']}: {reason}." in result.stderr
        assert "dli workflow logs r1" in result.stderr


def test_wait_as_json_prints_the_last_record(dli: Dli, server: ScriptedServer) -> None:
    server.on("POST /workflows/a.b/run", (202, run_record()))
    server.on("GET /workflows/runs/r1", (200, run_record("FAILED")))
    result = dli("workflow", "run", "a.b", "--wait", "-f", "json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (1, "FAILED")


@pytest.mark.parametrize(("format", "stream"), [("table", "stdout"), ("json", "stderr")])
def test_follow_shows_the_log_beside_the_result(
    dli: Dli, server: ScriptedServer, format: str, stream: str
) -> None:
    line = {"seq": 1, "at": "2025-01-01T06:00:01Z", "level": "INFO", "message": "3 rows"}
    server.on("POST /workflows/a.b/run", (202, run_record()))
    server.on("GET /workflows/runs/r1/logs", (200, {"lines": [line], "next": 1, "done": True}))
    server.on("GET /workflows/runs/r1", (200, run_record("COMPLETED")))
    result = dli("workflow", "run", "a.b", "--follow", "-f", format)
    assert result.exit_code == 0
    assert "06:00:01 INFO    3 rows\n" in getattr(result, stream)


def test_ctrl_c_while_waiting_leaves_the_run_alone(dli: Dli, server: ScriptedServer) -> None:
    def interrupt() -> tuple[int, dict[str, Any]]:
        import _thread

        _thread.interrupt_main()
        return 200, run_record("RUNNING")

    server.on("POST /workflows/a.b/run", (202, run_record()))
    server.on("GET /workflows/runs/r1", interrupt)
    result = dli("workflow", "run", "a.b", "--wait")
    assert result.exit_code == 130
    assert "the run goes on. Stop it with: dli workflow stop r1" in result.stderr
    assert server.asked("POST /workflows/runs/r1/stop") == []


def test_a_short_outage_does_not_end_the_wait(dli: Dli, server: ScriptedServer) -> None:
    broken = (500, {"code": "DLI-503", "detail": "restarting"})
    server.on("POST /workflows/a.b/run", (202, run_record()))
    server.on("GET /workflows/runs/r1", broken, broken, (200, run_record("COMPLETED")))
    result = dli("workflow", "run", "a.b", "--wait")
    assert result.exit_code == 0
    assert result.stderr.count("still waiting") == 1


@pytest.mark.parametrize("option", ["--wait", "--follow"])
def test_a_server_that_comes_back_elsewhere_is_found(
    dli: Dli, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    elsewhere = server.url.replace("127.0.0.1", "localhost")

    def moved() -> tuple[int, dict[str, Any]]:
        monkeypatch.setenv("DLI_SERVER_URL", elsewhere)
        return 500, {"code": "DLI-503", "detail": "restarting"}

    log = {"lines": [], "next": 0, "done": True}
    server.on("POST /workflows/a.b/run", (202, run_record()))
    first = "runs/r1" if option == "--wait" else "runs/r1/logs"
    server.on("GET /workflows/runs/r1", (200, run_record("COMPLETED")))
    server.on("GET /workflows/runs/r1/logs", (200, log))
    found = (200, run_record("COMPLETED") if option == "--wait" else log)
    server.on(f"GET /workflows/{first}", moved, found)
    assert dli("workflow", "run", "a.b", option).exit_code == 0
    assert server.hosts[0] != server.hosts[-1]
    assert server.hosts[-1] == elsewhere.removeprefix("http://")


def test_a_long_outage_ends_the_wait_with_its_code(
    dli: Dli, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dli.cli.workflow.patience.PATIENCE_S", 0)
    server.on("POST /workflows/a.b/run", (202, run_record()))
    server.on("GET /workflows/runs/r1", (500, {"code": "DLI-504", "detail": "store is gone"}))
    result = dli("workflow", "run", "a.b", "--wait")
    assert result.exit_code == 1
    assert "Error [DLI-504]: " in result.stderr
    assert "The run may go on: dli workflow status r1" in result.stderr


@pytest.mark.parametrize("words", [("--dry-run", "--wait"), ("--dry-run", "--follow")])
def test_there_is_nothing_to_wait_for_in_a_dry_run(mock_dli: Dli, words: tuple[str, ...]) -> None:
    assert mock_dli("workflow", "run", "a.b", *words).exit_code == 2


def test_sample_runs_cannot_be_waited_for(mock_dli: Dli) -> None:
    result = mock_dli("workflow", "run", "a.b", "--wait")
    assert (result.exit_code, result.stdout) == (2, "")


def test_backfill_prints_range_days_and_id(mock_dli: Dli) -> None:
    result = mock_dli("workflow", "backfill", "a.b", "-s", "2025-1-1", "-e", "2025-01-07")
    assert result.stdout == (
        "Backfill a.b_20250101_000000 of a.b: 2025-01-01 to 2025-01-07, 7 days, 7 runs: PENDING\n"
    )


def test_backfill_sends_what_was_asked(dli: Dli, server: ScriptedServer) -> None:
    answer = backfill_record("PENDING") | {"dry_run": True}
    server.on("POST /workflows/a.b/backfill", (200, answer))
    words = "-s 2025-1-1 -e 2025-1-1 -p region=eu --skip-completed --dry-run"
    result = dli("workflow", "backfill", "a.b", *words.split())
    (body,) = server.asked("POST /workflows/a.b/backfill")
    assert body == {
        "start_date": "2025-01-01",
        "end_date": "2025-01-01",
        "parameters": {"region": "eu"},
        "dry_run": True,
        "skip_completed": True,
    }
    span = "2025-01-01 to 2025-01-01, 1 day, 1 run"
    assert result.stdout == f"dry-run: a.b, {span}; nothing was started.\n"


@pytest.mark.parametrize(
    ("start", "end"), [("2025-01-07", "2025-01-01"), ("soon", "2025-01-01"), ("2025-01-01", "1")]
)
def test_backfill_refuses_bad_dates_before_anything_is_sent(
    dli: Dli, server: ScriptedServer, start: str, end: str
) -> None:
    result = dli("workflow", "backfill", "a.b", "-s", start, "-e", end)
    assert (result.exit_code, result.stderr[:16]) == (1, "Error [DLI-204]:")
    assert server.requests == []


def test_backfill_wait_tells_each_day_once_where_there_is_no_terminal(
    dli: Dli, server: ScriptedServer
) -> None:
    states = ["PENDING", "PENDING"], ["COMPLETED", "PENDING"], ["COMPLETED", "FAILED"]
    server.on("POST /workflows/a.b/backfill", (202, backfill_record("PENDING", "PENDING")))
    server.on("GET /workflows/runs/r1", *[(200, backfill_record(*days)) for days in states])
    result = dli("workflow", "backfill", "a.b", "-s", "2025-01-01", "-e", "2025-01-02", "--wait")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[:2] == ["1/2 2025-01-01 COMPLETED", "2/2 2025-01-02 FAILED"]
    assert result.stdout.endswith(": FAILED\n")


def test_backfill_follow_shows_the_log_of_each_day(dli: Dli, server: ScriptedServer) -> None:
    def log(*messages: str) -> tuple[int, dict[str, Any]]:
        lines = [
            {"seq": 1, "at": "2025-01-01T06:00:01Z", "level": "INFO", "message": message}
            for message in messages
        ]
        return 200, {"lines": lines, "next": len(lines), "done": True}

    server.on("POST /workflows/a.b/backfill", (202, backfill_record("PENDING", "PENDING")))
    server.on("GET /workflows/runs/d1/logs", log("no table"))
    server.on("GET /workflows/runs/d2/logs", log())
    server.on("GET /workflows/runs/r1", (200, backfill_record("FAILED", "KILLED")))
    result = dli("workflow", "backfill", "a.b", "-s", "2025-01-01", "-e", "2025-01-02", "--follow")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:-1] == ["-- 2025-01-01 d1", "06:00:01 INFO    no table"]


def test_backfill_wait_draws_a_bar_on_a_terminal(server: ScriptedServer) -> None:
    server.on("POST /workflows/a.b/backfill", (202, backfill_record("PENDING", "PENDING")))
    states = backfill_record("COMPLETED", "PENDING"), backfill_record("COMPLETED", "COMPLETED")
    server.on("GET /workflows/runs/r1", *[(200, state) for state in states])
    terminal, end = os.openpty()
    words = "-m dli workflow backfill a.b -s 2025-01-01 -e 2025-01-02 --wait"
    command = [sys.executable, *words.split()]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=end) as process:
        os.close(end)
        assert process.wait(60) == 0
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert "1/2" in shown
    assert "2/2" in shown
    assert "#" in shown


def test_stop_names_the_run_and_its_state(mock_dli: Dli) -> None:
    run_id = "iceberg.analytics.daily_clicks_20240115_120000"
    result = mock_dli("workflow", "stop", run_id)
    assert result.exit_code == 0
    assert run_id in result.stdout
    assert "KILLED" in result.stdout


def test_stop_sends_the_reason(dli: Dli, server: ScriptedServer) -> None:
    server.on("POST /workflows/runs/r1/stop", (200, run_record("KILLED")))
    result = dli("workflow", "stop", "r1", "--reason", "too slow", "-f", "json")
    assert json.loads(result.stdout)["status"] == "KILLED"
    assert server.asked("POST /workflows/runs/r1/stop") == [{"reason": "too slow"}]


@pytest.mark.parametrize(
    ("run_id", "code"),
    [("nope", "DLI-802"), ("iceberg.analytics.daily_clicks_20240115_060000", "DLI-807")],
)
def test_stop_of_an_unknown_or_finished_run_fails(mock_dli: Dli, run_id: str, code: str) -> None:
    result = mock_dli("workflow", "stop", run_id)
    assert result.exit_code == 1
    assert f"Error [{code}]: " in result.stderr
