"""`dli workflow next|pause|unpause`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from tests.unit.dli.cli.conftest import ScriptedServer

    Dli = Callable[..., Result]

CLICKS = "iceberg.analytics.daily_clicks"


def workflow(**more: Any) -> tuple[int, dict[str, Any]]:
    record = {"dataset_name": "a.b", "status": "active", "cron": "0 6 * * *", "timezone": "UTC"}
    return 200, {**record, **more}


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets the clock of the command."""

    def set_clock(text: str) -> None:
        instant = datetime.fromisoformat(text).astimezone(UTC)
        monkeypatch.setattr("dli.cli.workflow.schedule.now", lambda: instant)

    return set_clock


def test_next_shows_local_time_and_utc(dli: Dli, at: Callable[[str], None]) -> None:
    at("2025-06-01T00:00:00Z")
    words = ["--cron", "0 9 * * *", "--timezone", "Asia/Seoul", "-n", "2"]
    result = dli("workflow", "next", *words)
    assert result.stdout.splitlines() == [
        "LOCAL (Asia/Seoul)        UTC",
        "Mon 2025-06-02 09:00 KST  2025-06-02T00:00:00Z",
        "Tue 2025-06-03 09:00 KST  2025-06-03T00:00:00Z",
    ]


@pytest.mark.parametrize(
    ("cron", "local", "note"),
    [
        ("30 2 8 3 *", "2026-03-08T03:00:00-04:00", "forward"),
        ("30 1 1 11 *", "2026-11-01T01:30:00-04:00", "back"),
    ],
)
def test_next_tells_what_a_clock_change_does(
    dli: Dli, at: Callable[[str], None], cron: str, local: str, note: str
) -> None:
    at("2026-01-01T00:00:00Z")
    zone = ("--timezone", "America/New_York")
    result = dli("workflow", "next", "--cron", cron, *zone, "-n", "1", "-f", "json")
    (fire,) = json.loads(result.stdout)
    assert fire["local"] == local
    assert note in fire["note"]
    assert "NOTE" in dli("workflow", "next", "--cron", cron, *zone, "-n", "1").stdout


def test_next_of_a_workflow_uses_its_own_schedule(
    dli: Dli, server: ScriptedServer, at: Callable[[str], None]
) -> None:
    at("2025-06-01T00:00:00Z")
    server.on("GET /workflows/a.b", workflow(timezone="Europe/Berlin", status="paused"))
    result = dli("workflow", "next", "a.b", "-n", "1")
    assert "Sun 2025-06-01 06:00 CEST  2025-06-01T04:00:00Z" in result.stdout
    assert "a.b is paused" in result.stderr


def test_next_of_a_workflow_on_demand_is_empty(mock_dli: Dli) -> None:
    result = mock_dli("workflow", "next", "iceberg.reporting.weekly_summary", "-f", "json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    result = mock_dli("workflow", "next", "iceberg.reporting.weekly_summary")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "on demand" in result.stderr


def test_next_of_an_unknown_workflow_is_dli_800(mock_dli: Dli) -> None:
    result = mock_dli("workflow", "next", "nope")
    assert (result.exit_code, "Error [DLI-800]" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--cron", "* * * *"), 1),
        (("--cron", "0 2 30 2 *"), 1),
        (("--cron", "0 9 * * *", "--timezone", "Mars"), 1),
        ((), 2),
        (("a.b", "--cron", "0 9 * * *"), 2),
        (("a.b", "--timezone", "UTC"), 2),
        (("--cron", "0 9 * * *", "-n", "0"), 2),
    ],
)
def test_next_refuses_what_has_no_answer(dli: Dli, words: tuple[str, ...], code: int) -> None:
    result = dli("workflow", "next", *words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("Error [DLI-805]: " if code == 1 else "Error: ")


def test_pause_and_unpause_tell_the_new_state(mock_dli: Dli) -> None:
    assert mock_dli("workflow", "pause", CLICKS).stdout == f"{CLICKS} is paused.\n"
    name = "iceberg.reporting.weekly_summary"
    assert mock_dli("workflow", "unpause", name).stdout == f"{name} is active.\n"


@pytest.mark.parametrize(
    "words", [("pause", "iceberg.reporting.weekly_summary"), ("unpause", CLICKS)]
)
def test_what_is_already_so_is_dli_807(mock_dli: Dli, words: tuple[str, ...]) -> None:
    result = mock_dli("workflow", *words)
    assert (result.exit_code, "Error [DLI-807]" in result.stderr) == (1, True)


def test_pause_and_unpause_send_the_reason(dli: Dli, server: ScriptedServer) -> None:
    for verb in ("pause", "unpause"):
        server.on(f"POST /workflows/a.b/{verb}", workflow())
        result = dli("workflow", verb, "a.b", "--reason", "audit", "-f", "json")
        assert json.loads(result.stdout)["dataset_name"] == "a.b"
        assert server.asked(f"POST /workflows/a.b/{verb}") == [{"reason": "audit"}]


@pytest.mark.parametrize(
    ("until", "sent"),
    [
        ("2025-06-10", "2025-06-09T15:00:00Z"),
        ("2025-06-10T00:00:00+09:00", "2025-06-09T15:00:00Z"),
        ("2025-06-09T15:00:00Z", "2025-06-09T15:00:00Z"),
    ],
)
def test_pause_until_is_told_in_the_zone_of_the_workflow(
    dli: Dli, server: ScriptedServer, at: Callable[[str], None], until: str, sent: str
) -> None:
    at("2025-06-01T00:00:00Z")
    server.on("GET /workflows/a.b", workflow(timezone="Asia/Seoul"))
    server.on("POST /workflows/a.b/pause", workflow(status="paused"))
    result = dli("workflow", "pause", "a.b", "--until", until)
    assert server.asked("POST /workflows/a.b/pause") == [{"until": sent}]
    assert result.stdout == (
        f"a.b is paused.\nIt resumes at 2025-06-10 00:00 KST, that is {sent}.\n"
    )


@pytest.mark.parametrize(
    "until", ["2025-01-01", "tomorrow", "2026-01-01T08:00", "2026-13-01T08:00Z"]
)
def test_pause_until_must_be_a_time_ahead(
    dli: Dli, server: ScriptedServer, at: Callable[[str], None], until: str
) -> None:
    at("2025-06-01T00:00:00Z")
    server.on("GET /workflows/a.b", workflow())
    result = dli("workflow", "pause", "a.b", "--until", until)
    assert (result.exit_code, result.stderr[:16]) == (1, "Error [DLI-204]:")
    assert server.asked("POST /workflows/a.b/pause") == []
