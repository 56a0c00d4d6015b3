"""The log of a run: written in the worker, read on by the server."""

from pathlib import Path

import pytest

from basecamp.engines.embedded import log as module
from basecamp.engines.embedded.log import LogReader, RunLog


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run-1.jsonl"


def write(path: Path, *messages: str) -> None:
    log = RunLog(path, lambda: None)
    for message in messages:
        log.write("info", message)
    log.close()


def test_a_log_is_read_on_from_where_it_was_read_up_to(path: Path) -> None:
    reader = LogReader()
    write(path, "one", "two")
    assert [line["seq"] for line in reader.read(path, after=0, limit=10)] == [1, 2]
    path.write_bytes(b" " * path.stat().st_size)  # who reads this again counts no lines
    write(path, "three")
    (line,) = reader.read(path, after=2, limit=10)
    assert (line["seq"], line["message"]) == (3, "three")


def test_readers_at_other_places_see_the_same_lines(path: Path) -> None:
    reader = LogReader()
    write(path, "one", "two", "three")
    assert [line["message"] for line in reader.read(path, after=0, limit=2)] == ["one", "two"]
    assert [line["message"] for line in reader.read(path, after=1, limit=9)] == ["two", "three"]
    assert [line["message"] for line in reader.read(path, after=2, limit=9)] == ["three"]
    assert reader.read(path, after=3, limit=9) == []


def test_a_line_that_was_cut_short_is_left_out_and_keeps_its_number(path: Path) -> None:
    write(path, "one")
    with path.open("ab") as file:
        file.write(b'{"at": "2026-')
    assert len(LogReader().read(path, after=0, limit=9)) == 1
    write(path, "runs into the torn line", "three")
    found = LogReader().read(path, after=0, limit=9)
    assert [(line["seq"], line["message"]) for line in found] == [(1, "one"), (3, "three")]


def test_a_log_that_is_not_there_yet_has_no_lines(path: Path) -> None:
    assert LogReader().read(path, after=0, limit=9) == []


def test_a_full_disk_does_not_end_the_run_that_writes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[None] = []
    log = RunLog(path, lambda: told.append(None))

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.write", full)
        log.write("info", "lost")
    log.write("info", "kept")
    log.close()
    assert [line["message"] for line in LogReader().read(path, after=0, limit=9)] == ["kept"]
    assert len(told) == 2


def test_f50_of_a_log_past_its_limit_the_first_and_the_last_lines_are_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LIMIT_BYTES", 100)
    monkeypatch.setattr(module, "_TAIL_LINES", 2)
    log = RunLog(path, lambda: None)
    for message in ("x" * 100, "too much", "more", "last but one"):
        log.write("info", message)
    assert len(LogReader().read(path, after=0, limit=9)) == 2
    log.write("error", "why it failed")
    log.close()
    first, note, gap, *last = LogReader().read(path, after=0, limit=9)
    assert first["message"] == "x" * 100
    assert (note["level"], "limit" in note["message"]) == ("warning", True)
    assert (gap["level"], gap["message"]) == ("warning", "2 lines were left out here.")
    assert [(line["level"], line["message"]) for line in last] == [
        ("info", "last but one"),
        ("error", "why it failed"),
    ]
