"""What reaches the terminal: harmless text, tables, JSON."""

from __future__ import annotations

import json

import pytest

from dli.cli.output import clean, emit_fields, emit_json, emit_table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", " 31mred"),
        ("two\nlines\r\nhere", "two lines here"),
        ("a\x00b\x7fc", "a b c"),
        ("file\u202egnp.exe", "file gnp.exe"),
        ("half \ud800 pair", "half   pair"),
        ("서울", "서울"),
        ("\x1b", ""),
    ],
)
def test_foreign_text_becomes_one_harmless_line(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_columns_are_as_wide_as_their_longest_cell(capsys: pytest.CaptureFixture[str]) -> None:
    emit_table(("A", "LONG NAME"), [("longer than the head", None), ("x", "y")])
    assert capsys.readouterr().out.splitlines() == [
        "A                     LONG NAME",
        "longer than the head  -",
        "x                     y",
    ]


def test_wide_characters_count_twice(capsys: pytest.CaptureFixture[str]) -> None:
    emit_table(("A", "B"), [("서울", "x"), ("abcd", "y")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == ["서울  x", "abcd  y"]


def test_a_cell_cannot_break_out_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    emit_table(("A",), [("x\nfake  row\x1b[2J",)])
    assert capsys.readouterr().out == "A\nx fake  row\n"


def test_fields_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    emit_fields({"a": 1, "longer": ""})
    assert capsys.readouterr().out == "a       1\nlonger  -\n"


@pytest.mark.parametrize("text", ["서울", "\x1b[31m", "\x9b31m", "\u202e", "\ud800", "\x7f", '"\\'])
def test_json_keeps_every_text_and_shows_no_control_character(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    emit_json({"text": text})
    out = capsys.readouterr().out
    assert json.loads(out) == {"text": text}
    assert all(c.isprintable() or c == "\n" for c in out)


def test_colour_only_on_a_terminal_that_wants_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def printed() -> str:
        # click takes colours out where it sees no terminal, so what is passed to it counts.
        emit_table(("STATUS",), [("FAILED",)])
        return capsys.readouterr().out

    shown: list[str] = []
    monkeypatch.setattr("dli.cli.output.click.echo", lambda text, **_: shown.append(str(text)))
    printed()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    printed()
    monkeypatch.setenv("NO_COLOR", "1")
    printed()
    assert ["\x1b[31m" in text for text in shown] == [False, True, False]
