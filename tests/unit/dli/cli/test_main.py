"""The frame of the command line: help, version, exit codes, typos, the border for errors."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from dli import __version__
from dli.cli.group import LazyGroup

if TYPE_CHECKING:
    from collections.abc import Callable

    import click
    from click.testing import Result

    Dli = Callable[..., Result]


def process(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dli", *words],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("words", [("--version",), ("-v",), ("version",)])
def test_version_is_the_same_with_and_without_click(dli: Dli, words: tuple[str, ...]) -> None:
    in_click, alone = dli(*words), process(*words)
    assert in_click.stdout == alone.stdout == f"dli {__version__}\n"
    assert in_click.exit_code == alone.returncode == 0


def test_version_alone_does_not_import_click() -> None:
    code = "import sys, dli.main\ntry: dli.main.app(['-v'])\nfinally: print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "click" not in loaded.stdout.split()


@pytest.mark.parametrize("words", [(), ("workflow",), ("config",), ("audit",)])
def test_a_group_alone_prints_its_help_and_exits_2(dli: Dli, words: tuple[str, ...]) -> None:
    result = dli(*words)
    assert result.exit_code == 2
    assert "Commands:" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("workfow",), "No such command 'workfow'. Did you mean 'workflow'? See `dli --help`."),
        (
            ("workflow", "backfil"),
            "No such command 'backfil'. Did you mean 'backfill'? See `dli workflow --help`.",
        ),
        (
            ("workflow", "list", "--runing"),
            "No such option '--runing'. Did you mean '--running'? See `dli workflow list --help`.",
        ),
        (("qqq",), "No such command 'qqq'. See `dli --help`."),
    ],
)
def test_a_typo_gets_one_line_with_the_likely_word(
    dli: Dli, words: tuple[str, ...], line: str
) -> None:
    result = dli(*words)
    assert (result.exit_code, result.stderr) == (2, f"Error: {line}\n")


@pytest.mark.parametrize(
    "words",
    [
        ("workflow", "status"),
        ("workflow", "list", "--source", "git"),
        ("workflow", "list", "--limit", "0"),
        ("workflow", "backfill", "a.b", "--start", "2025-01-01"),
        ("up", "--port", "70000"),
    ],
)
def test_wrong_usage_exits_2_with_one_line(dli: Dli, words: tuple[str, ...]) -> None:
    result = dli(*words)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Makes `dli info` fail with an error of one's choice."""

    def set_error(error: BaseException) -> None:
        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr("dli.cli.connection.project_root", fail)

    return set_error


def test_a_defect_is_one_line_without_a_traceback(
    dli: Dli, broken: Callable[[BaseException], None]
) -> None:
    broken(KeyError("secret"))
    result = dli("info")
    assert result.exit_code == 1
    expected = "Error [DLI-401]: Unexpected KeyError. This is a defect; DLI_DEBUG=1 shows where.\n"
    assert result.stderr == expected


def test_debug_shows_the_traceback(
    dli: Dli, broken: Callable[[BaseException], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(KeyError("secret"))
    monkeypatch.setenv("DLI_DEBUG", "1")
    assert "Traceback (most recent call last)" in dli("info").stderr


def test_ctrl_c_exits_130(dli: Dli, broken: Callable[[BaseException], None]) -> None:
    broken(KeyboardInterrupt())
    result = dli("info")
    assert (result.exit_code, result.stderr.strip()) == (130, "Interrupted.")


def test_a_reader_that_stops_reading_is_no_error() -> None:
    shell = f"{sys.executable} -m dli --help | head -c 1 > /dev/null"
    result = subprocess.run(
        ["bash", "-c", shell], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.stderr == ""


def test_an_unknown_log_level_is_refused() -> None:
    result = process("info", DLI_LOG_LEVEL="LOUD")
    assert (result.returncode, result.stderr[:16]) == (1, "Error [DLI-001]:")


def test_the_group_says_what_the_command_says(commands: dict[str, click.Command]) -> None:
    groups = [command for command in commands.values() if isinstance(command, LazyGroup)]
    assert groups
    for group in groups:
        for name, entry in group.entries.items():
            command = entry.load()
            assert command.name == name
            assert command.help
            assert len(entry.help) < 70


def test_the_log_level_decides_what_is_on_stderr() -> None:
    there = {"DLI_SERVER_URL": "http://127.0.0.1:9", "DLI_API_TOKEN": "any"}
    quiet = process("workflow", "list", **there)
    talking = process("workflow", "list", DLI_LOG_LEVEL="DEBUG", **there)
    assert quiet.stderr.count("\n") == 1
    assert "DEBUG dli.client.transport: GET /api/v1/workflows: 503 in " in talking.stderr
    assert "any" not in talking.stderr
    assert (quiet.stdout, talking.stdout) == ("", "")
