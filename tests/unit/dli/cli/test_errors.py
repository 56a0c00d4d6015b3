"""Errors on the terminal: code, message, next step, exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dli.cli.errors import report, suggestion
from dli.exceptions import CODES, DLIError, DLIValidationError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from tests.unit.dli.cli.conftest import ScriptedServer

    Dli = Callable[..., Result]


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_code_comes_with_its_next_step(
    code: ErrorCode, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(DLIError("It went wrong", code)) == 1
    assert capsys.readouterr().err == f"Error [{code.value}]: It went wrong. {CODES[code].help}\n"


def test_a_note_replaces_the_general_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    error = DLIError("No.", ErrorCode.TIMEOUT)
    error.add_note("Do this.")
    report(error)
    assert capsys.readouterr().err == "Error [DLI-402]: No. Do this.\n"


def test_findings_follow_one_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    report(DLIValidationError("Nothing was published", errors=["a.yaml:3: no name", "b.yaml:1: x"]))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Error [DLI-201]: Nothing was published (2 errors, 0 warnings).")
    assert lines[1:] == ["  a.yaml:3: no name", "  b.yaml:1: x"]


def test_a_system_error_says_what_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    report(PermissionError(13, "Permission denied", "/some/place"))
    assert capsys.readouterr().err == "Error [DLI-401]: Permission denied: /some/place\n"


def test_suggestions_are_close_names_only() -> None:
    assert suggestion("dayly", ["daily", "weekly"]) == " Did you mean 'daily'?"
    assert suggestion("zzz", ["daily", "weekly"]) == ""


def test_an_unknown_name_gets_the_close_ones(dli: Dli, server: ScriptedServer) -> None:
    known = [{"dataset_name": "shop.sales.daily"}, {"dataset_name": "other.thing.else"}]
    server.on("GET /workflows", (200, {"workflows": known, "total_count": 2, "next_offset": None}))
    result = dli("workflow", "run", "shop.sales.dayly")
    assert result.exit_code == 1
    assert result.stderr.endswith("Did you mean 'shop.sales.daily'?\n")
    assert result.stderr.startswith("Error [DLI-800]: shop.sales.dayly: ")


def test_the_server_cannot_paint_the_terminal(dli: Dli, server: ScriptedServer) -> None:
    body = {"code": "DLI-503", "detail": "\x1b[2Jgone\nError [DLI-000]: forged"}
    server.on("GET /workflows/runs/r1", (500, body))
    result = dli("workflow", "status", "r1")
    assert result.stderr.count("\n") == 1
    assert "\x1b" not in result.stderr


def test_no_server_is_one_line_that_names_dli_up(dli: Dli) -> None:
    result = dli("workflow", "list")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error [DLI-001]: server_url required")
    assert "`dli up`" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_wrong_token_is_dli_502(dli: Dli, server: ScriptedServer) -> None:
    server.on("GET /workflows", (401, {"code": "DLI-502", "detail": "The token is not valid."}))
    result = dli("workflow", "list")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error [DLI-502]: ")
    assert "DLI_API_TOKEN" in result.stderr


@pytest.mark.parametrize("mode", ["MOCK", "mock"])
def test_samples_are_announced_once(dli: Dli, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLI_EXECUTION_MODE", mode)
    result = dli("workflow", "list", "--format", "json")
    assert result.stderr.count("MOCK") == 1
    assert len(json.loads(result.stdout)) == 3


def test_an_unknown_mode_is_refused(dli: Dli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLI_EXECUTION_MODE", "pretend")
    result = dli("workflow", "list")
    assert (result.exit_code, result.stderr[:16]) == (1, "Error [DLI-001]:")


def test_a_missing_directory_is_dli_003(dli: Dli) -> None:
    result = dli("workflow", "list", "--path", "nowhere")
    assert (result.exit_code, result.stderr[:16]) == (1, "Error [DLI-003]:")


@pytest.mark.parametrize("name", ["", "../etc", "a b", "-x", "a..b", "a.b\n", "x" * 201, "ａ.b"])
def test_what_cannot_be_a_name_is_not_sent(dli: Dli, server: ScriptedServer, name: str) -> None:
    result = dli("workflow", "run", "--", name)
    assert (result.exit_code, result.stderr[:16]) == (1, "Error [DLI-204]:")
    assert (result.stderr.count("\n"), server.requests) == (1, [])


def test_an_empty_run_id_is_refused(dli: Dli) -> None:
    result = dli("workflow", "status", "")
    assert (result.exit_code, result.stderr[:16]) == (1, "Error [DLI-204]:")


@pytest.mark.parametrize("verb", ["next", "register a.b"])
def test_a_zone_that_does_not_exist_gets_the_close_ones(dli: Dli, verb: str) -> None:
    words = ["--cron", "0 9 * * *", "--timezone", "Asia/Seol"]
    result = dli("workflow", *verb.split(), *words)
    assert (result.exit_code, result.stderr[:16]) == (1, "Error [DLI-805]:")
    assert "Did you mean 'Asia/Seoul'" in result.stderr
