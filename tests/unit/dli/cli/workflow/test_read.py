"""`dli workflow list|status|history|logs`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from tests.unit.dli.cli.conftest import ScriptedServer

    Dli = Callable[..., Result]

RUN = "iceberg.analytics.daily_clicks_20240115_060000"


def rows(result: Result) -> list[list[str]]:
    return [line.split() for line in result.stdout.splitlines()[1:]]


def page(items: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    return {items: records, "total_count": len(records), "next_offset": None}


def test_list_shows_the_columns_of_the_contract(mock_dli: Dli) -> None:
    result = mock_dli("workflow", "list")
    head = result.stdout.splitlines()[0]
    assert head.replace("NEXT RUN", "NEXT_RUN").split() == [
        "DATASET",
        "SOURCE",
        "STATUS",
        "SCHEDULE",
        "NEXT_RUN",
    ]
    assert "0 */4 * * * (UTC)" in result.stdout
    assert "on demand" in result.stdout


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--source", "manual"), ["weekly_summary"]),
        (("--source", "all"), ["daily_clicks", "user_events", "weekly_summary"]),
        (("--status", "paused"), ["weekly_summary"]),
        (("--enabled-only",), ["daily_clicks", "user_events"]),
        (("--running",), ["daily_clicks"]),
        (("-d", "EVENTS"), ["user_events"]),
        (("-n", "1"), ["daily_clicks"]),
    ],
)
def test_list_filters(mock_dli: Dli, words: tuple[str, ...], names: list[str]) -> None:
    result = mock_dli("workflow", "list", *words)
    assert [row[0].rpartition(".")[2] for row in rows(result)] == names


def test_list_sends_every_filter(dli: Dli, server: ScriptedServer) -> None:
    server.on("GET /workflows", (200, page("workflows", [])))
    words = "--source code --running --enabled-only --status active --dataset x --limit 7"
    result = dli("workflow", "list", *words.split())
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "No workflow found.\n"
    (query,) = server.asked("GET /workflows")
    assert parse_qs(query) == {
        "source_type": ["code"],
        "running": ["true"],
        "enabled": ["true"],
        "status": ["active"],
        "dataset": ["x"],
        "limit": ["7"],
    }


def test_list_says_when_there_are_more(mock_dli: Dli) -> None:
    result = mock_dli("workflow", "list", "-n", "2")
    assert "2 of 3 shown; --limit shows more." in result.stderr


def test_list_as_json_is_one_document_with_the_kept_names(mock_dli: Dli) -> None:
    records = json.loads(mock_dli("workflow", "list", "-f", "json").stdout)
    assert records[0]["dataset_name"] == "iceberg.analytics.daily_clicks"
    assert records[0]["source"] == records[0]["source_type"] == "code"
    assert records[2]["schedule"] is None


def test_an_empty_list_as_json_is_an_empty_list(mock_dli: Dli) -> None:
    result = mock_dli("workflow", "list", "-d", "nothing", "-f", "json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


def test_status_shows_all_that_is_known(mock_dli: Dli) -> None:
    fields = dict(row[:2] for row in rows(mock_dli("workflow", "status", RUN)))
    assert fields["status"] == "COMPLETED"
    assert fields["finished_at"] == "2024-01-15T06:15:00Z"


def test_status_of_a_backfill_shows_its_days(dli: Dli, server: ScriptedServer) -> None:
    days = [{"run_id": "d1", "date": "2025-01-01", "status": "FAILED"}]
    record = {"run_id": "b1", "dataset_name": "a.b", "status": "FAILED", "runs": days}
    server.on("GET /workflows/runs/b1", (200, record))
    result = dli("workflow", "status", "b1")
    assert result.stdout.splitlines()[-1].split() == ["2025-01-01", "FAILED", "d1"]


def test_status_of_an_unknown_run_is_dli_800(mock_dli: Dli) -> None:
    result = mock_dli("workflow", "status", "nope")
    assert result.exit_code == 1
    assert "Error [DLI-800]: nope: " in result.stderr


def test_history_is_newest_first_and_filters(mock_dli: Dli) -> None:
    states = [row[3] for row in rows(mock_dli("workflow", "history"))]
    assert states == ["RUNNING", "COMPLETED", "COMPLETED", "FAILED"]
    assert [row[3] for row in rows(mock_dli("workflow", "history", "-s", "failed"))] == ["FAILED"]
    assert len(rows(mock_dli("workflow", "history", "--source", "manual"))) == 2


def test_history_sends_every_filter(dli: Dli, server: ScriptedServer) -> None:
    server.on("GET /workflows/history", (200, page("runs", [])))
    words = "--source code --status FAILED --dataset x --limit 7"
    result = dli("workflow", "history", *words.split())
    assert (result.exit_code, result.stdout) == (0, "")
    (query,) = server.asked("GET /workflows/history")
    assert parse_qs(query) == {
        "source_type": ["code"],
        "status": ["FAILED"],
        "dataset": ["x"],
        "limit": ["7"],
    }


def test_history_shows_the_columns_of_the_contract(mock_dli: Dli) -> None:
    head = "RUN ID, DATASET, SOURCE, STATUS, STARTED, ENDED"
    first = mock_dli("workflow", "history").stdout.splitlines()[0]
    assert ", ".join(re.split(r"  +", first.strip())) == head
    first = mock_dli("workflow", "history", "--show-dataset-info").stdout.splitlines()[0]
    assert ", ".join(re.split(r"  +", first.strip())) == f"{head}, OWNER, TEAM"
    assert len(json.loads(mock_dli("workflow", "history", "-f", "json").stdout)) == 4


def test_history_with_dataset_info_adds_owner_and_team(mock_dli: Dli) -> None:
    result = mock_dli("workflow", "history", "-n", "1", "--show-dataset-info")
    assert rows(result)[0][-2:] == ["analytics@example.com", "@analytics"]
    result = mock_dli("workflow", "history", "-n", "1", "--show-dataset-info", "-f", "json")
    (record,) = json.loads(result.stdout)
    assert set(record["dataset_info"]) == {"owner", "team", "description", "tags"}


HISTORY_RECORD = {"run_id": "r", "dataset_name": "a.b", "source_type": "code", "status": "FAILED"}


def test_dataset_info_of_an_unregistered_dataset_is_null(dli: Dli, server: ScriptedServer) -> None:
    server.on("GET /workflows/history", (200, page("runs", [HISTORY_RECORD])))
    result = dli("workflow", "history", "--show-dataset-info", "-f", "json")
    assert json.loads(result.stdout)[0]["dataset_info"] is None


def test_dataset_info_is_not_invented_when_the_server_fails(
    dli: Dli, server: ScriptedServer
) -> None:
    server.on("GET /workflows/history", (200, page("runs", [HISTORY_RECORD])))
    server.on("GET /workflows/a.b", (500, {"code": "DLI-503", "detail": "broken"}))
    result = dli("workflow", "history", "--show-dataset-info", "-f", "json")
    assert (result.exit_code, result.stdout) == (1, "")


def line(seq: int, message: str) -> dict[str, Any]:
    return {"seq": seq, "at": "2025-01-01T06:00:01Z", "level": "INFO", "message": message}


def logs(next_line: int, *lines: dict[str, Any], done: bool) -> tuple[int, dict[str, Any]]:
    return 200, {"lines": list(lines), "next": next_line, "done": done}


def test_logs_reads_page_after_page(dli: Dli, server: ScriptedServer) -> None:
    pages = logs(1, line(1, "one"), done=False), logs(2, line(2, "\x1b[2Jtwo"), done=True)
    server.on("GET /workflows/runs/r", (200, {"run_id": "r"}))
    server.on("GET /workflows/runs/r/logs", *pages)
    result = dli("workflow", "logs", "r")
    assert result.stdout == "06:00:01 INFO    one\n06:00:01 INFO    two\n"
    assert "after=1" in server.asked("GET /workflows/runs/r/logs")[1]


def test_logs_without_follow_end_where_the_log_ends(dli: Dli, server: ScriptedServer) -> None:
    pages = logs(1, line(1, "one"), done=False), logs(1, done=False)
    server.on("GET /workflows/runs/r", (200, {"run_id": "r"}))
    server.on("GET /workflows/runs/r/logs", *pages)
    assert dli("workflow", "logs", "r").stdout == "06:00:01 INFO    one\n"


def test_logs_with_follow_go_on_until_the_run_has_ended(dli: Dli, server: ScriptedServer) -> None:
    pages = logs(0, done=False), logs(1, line(1, "one"), done=False), logs(1, done=True)
    server.on("GET /workflows/runs/r", (200, {"run_id": "r"}))
    server.on("GET /workflows/runs/r/logs", *pages)
    result = dli("workflow", "logs", "r", "--follow", "-f", "json")
    assert [found["message"] for found in json.loads(result.stdout)] == ["one"]
    assert all("wait=" in query for query in server.asked("GET /workflows/runs/r/logs"))


def test_logs_of_a_backfill_name_the_day_and_the_run(dli: Dli, server: ScriptedServer) -> None:
    days = [{"run_id": f"d{day}", "date": f"2025-01-0{day}"} for day in (1, 2, 3)]
    server.on("GET /workflows/runs/b", (200, {"run_id": "b", "runs": days}))
    server.on("GET /workflows/runs/d1/logs", logs(1, line(1, "one"), done=True))
    server.on("GET /workflows/runs/d2/logs", logs(2, line(1, "two"), line(2, "2"), done=True))
    server.on("GET /workflows/runs/d3/logs", logs(0, done=True))
    assert dli("workflow", "logs", "b").stdout.splitlines() == [
        "-- 2025-01-01 d1",
        "06:00:01 INFO    one",
        "-- 2025-01-02 d2",
        "06:00:01 INFO    two",
        "06:00:01 INFO    2",
    ]
    found = json.loads(dli("workflow", "logs", "b", "-f", "json").stdout)
    assert [one["run_id"] for one in found] == ["d1", "d2", "d2"]
