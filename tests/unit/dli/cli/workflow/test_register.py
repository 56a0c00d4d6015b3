"""`dli workflow register|unregister`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from tests.unit.dli.cli.conftest import ScriptedServer

    Dli = Callable[..., Result]

RECORD = {
    "dataset_name": "a.b",
    "source_type": "manual",
    "status": "active",
    "cron": "0 9 * * *",
    "timezone": "Asia/Seoul",
    "next_run": "2025-06-02T00:00:00Z",
}


def test_register_tells_schedule_state_and_next_run(mock_dli: Dli) -> None:
    result = mock_dli("workflow", "register", "a.b", "-c", "0 9 * * *", "--disabled")
    assert result.exit_code == 0
    assert result.stdout.startswith("a.b is registered as a MANUAL workflow.\n")
    assert "0 9 * * * (UTC)" in result.stdout
    assert "paused" in result.stdout


def test_register_sends_every_setting(dli: Dli, server: ScriptedServer) -> None:
    server.on("POST /workflows/register", (201, {**RECORD, "warning": "The spec says 6:00."}))
    words = ["--timezone", "Asia/Seoul", "--disabled", "--retry-max", "3", "--retry-delay", "5"]
    result = dli("workflow", "register", "a.b", "--cron", "0 9 * * *", *words, "-f")
    assert server.asked("POST /workflows/register") == [
        {
            "dataset_name": "a.b",
            "cron": "0 9 * * *",
            "timezone": "Asia/Seoul",
            "enabled": False,
            "retry_max_attempts": 3,
            "retry_delay_seconds": 5,
            "force": True,
        }
    ]
    assert result.stderr == "Warning: The spec says 6:00.\n"


@pytest.mark.parametrize(
    ("word", "is_enabled"), [("--enabled", True), ("--disabled", False), ("", True)]
)
def test_register_takes_the_schedule_on_or_off(
    dli: Dli, server: ScriptedServer, word: str, is_enabled: bool
) -> None:
    server.on("POST /workflows/register", (201, RECORD))
    dli("workflow", "register", "a.b", "-c", "0 9 * * *", *word.split())
    (body,) = server.asked("POST /workflows/register")
    assert body.get("enabled", True) is is_enabled


@pytest.mark.parametrize(
    ("words", "exit_code", "start"),
    [
        (("--cron", "0 9 * *"), 1, "Error [DLI-805]"),
        (("--cron", "0 9 * * *", "--timezone", "Nowhere/Else"), 1, "Error [DLI-805]"),
        ((), 2, "Error: Missing option '--cron'"),
        (("--cron", "0 9 * * *", "--retry-max", "0"), 2, "Error: Invalid value"),
        (("--cron", "0 9 * * *", "--retry-delay", "-1"), 2, "Error: Invalid value"),
    ],
)
def test_register_refuses_before_anything_is_sent(
    dli: Dli, server: ScriptedServer, words: tuple[str, ...], exit_code: int, start: str
) -> None:
    result = dli("workflow", "register", "a.b", *words)
    assert (result.exit_code, server.requests) == (exit_code, [])
    assert result.stderr.startswith(start)


@pytest.mark.parametrize(
    ("name", "code"),
    [("iceberg.analytics.daily_clicks", 803), ("iceberg.reporting.weekly_summary", 804)],
)
def test_register_over_another_workflow_is_refused(mock_dli: Dli, name: str, code: int) -> None:
    result = mock_dli("workflow", "register", name, "-c", "0 9 * * *")
    assert result.exit_code == 1
    assert f"Error [DLI-{code}]: {name}: " in result.stderr


def test_unregister_tells_name_and_state(mock_dli: Dli) -> None:
    name = "iceberg.reporting.weekly_summary"
    result = mock_dli("workflow", "unregister", name)
    assert (result.exit_code, result.stdout) == (0, f"{name} is unregistered.\n")
    document = json.loads(mock_dli("workflow", "unregister", name, "-f", "json").stdout)
    assert document["dataset_name"] == name


@pytest.mark.parametrize(("name", "code"), [("iceberg.analytics.daily_clicks", 803), ("no", 800)])
def test_unregister_of_code_or_nothing_is_refused(mock_dli: Dli, name: str, code: int) -> None:
    result = mock_dli("workflow", "unregister", name)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"Error [DLI-{code}]: " in result.stderr
