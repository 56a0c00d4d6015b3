"""The log of a run as a file."""

from pathlib import Path

from basecamp.engines.embedded.log import RunLog, read_lines


def test_lines_are_read_from_where_the_reader_left_off(tmp_path: Path) -> None:
    path = tmp_path / "run-1.jsonl"
    log = RunLog(path, lambda: None)
    for message in ("one", "two", "three"):
        log.write("info", message)
    found = read_lines(path, after=1, limit=1)
    assert [(line["seq"], line["level"], line["message"]) for line in found] == [(2, "info", "two")]
    assert [line["seq"] for line in read_lines(path, after=2, limit=10)] == [3]


def test_a_line_that_is_being_written_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "run-1.jsonl"
    path.write_text('{"at": "2026-01-01T00:00:00Z", "lev')
    assert read_lines(path, after=0, limit=10) == []
    assert read_lines(tmp_path / "none", after=0, limit=10) == []
