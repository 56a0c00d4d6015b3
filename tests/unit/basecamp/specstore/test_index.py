"""The index of read spec files is a cache that may be lost."""

from pathlib import Path

import pytest

from basecamp.specstore.base import FileKey
from basecamp.specstore.index import Reading, SpecIndex

KEY = FileKey("code", "a.one")
READING = Reading("1-2-3", "hash", None)


def test_a_reading_is_found_for_the_same_file_only(tmp_path: Path) -> None:
    index = SpecIndex(tmp_path / "index.json")
    index.put(KEY, READING)
    assert index.find(KEY, "1-2-3") == READING
    assert index.find(KEY, "other") is None


def test_it_survives_and_forgets_what_has_gone(tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    index = SpecIndex(path)
    index.put(KEY, READING)
    index.put(FileKey("manual", "b.two"), Reading("4", None, "bad"))
    index.save({KEY})
    again = SpecIndex(path)
    assert again.find(KEY, "1-2-3") == READING
    assert again.find(FileKey("manual", "b.two"), "4") is None
    assert [found.name for found in tmp_path.iterdir()] == ["index.json"]


def test_nothing_new_is_not_written(tmp_path: Path) -> None:
    SpecIndex(tmp_path / "index.json").save(set())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"format": 99}', b'{"format": 1, "entries": [1]}']
)
def test_a_damaged_index_is_as_good_as_none(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "index.json"
    path.write_bytes(damage)
    assert SpecIndex(path).find(KEY, "1-2-3") is None
