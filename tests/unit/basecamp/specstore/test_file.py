"""Spec files are replaced whole, and no name leads out of their folder."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from basecamp.specstore.base import FileKey
from basecamp.specstore.file import FileSpecStore
from dli.exceptions import DLIValidationError, ErrorCode, ServerError
from dli.specs.content import SPEC_MAX_BYTES


def content(name: str, description: str = "") -> dict[str, Any]:
    return {"name": name, "owner": "ana", "team": "t", "description": description}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> FileSpecStore:
    opened = FileSpecStore(root)
    opened.prepare()
    return opened


def publish(store: FileSpecStore, *names: str) -> None:
    store.switch_code(store.stage_code({name: content(name) for name in names}))
    store.prune_code()


def names(store: FileSpecStore, source: str) -> list[str]:
    return sorted(key.name for key in store.scan() if key.source_type == source)


def test_old_sets_go_and_the_one_in_force_stays(store: FileSpecStore, root: Path) -> None:
    for number in range(8):
        publish(store, f"a.b{number}")
    assert len(list((root / "versions").iterdir())) == 3
    assert names(store, "code") == ["a.b7"]


def test_manual_files_come_and_go(store: FileSpecStore, root: Path) -> None:
    store.put_manual("a.one", content("a.one"))
    store.put_manual("a.one", content("a.one", "changed"))
    assert b"changed" in store.read(FileKey("manual", "a.one"))
    assert [path.name for path in (root / "manual").iterdir()] == ["a.one.yaml"]
    store.remove_manual("a.one")
    store.remove_manual("a.one")
    assert names(store, "manual") == []


def test_a_write_that_fails_leaves_the_old_file(
    store: FileSpecStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put_manual("a.one", content("a.one", "good"))

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ServerError) as caught:
        store.put_manual("a.one", content("a.one", "half"))
    assert caught.value.code == ErrorCode.SERVER_EXECUTION
    assert b"good" in store.read(FileKey("manual", "a.one"))
    assert [path.name for path in (root / "manual").iterdir()] == ["a.one.yaml"]


def test_links_other_files_and_folders_are_left_out(store: FileSpecStore, root: Path) -> None:
    manual = root / "manual"
    (manual / "link.yaml").symlink_to("/etc/passwd")
    (manual / "notes.txt").write_text("x")
    (manual / "folder.yaml").mkdir()
    assert names(store, "manual") == []


def test_files_copied_by_hand_are_read_and_then_replaced(tmp_path: Path) -> None:
    root = tmp_path / "store"
    (root / "code").mkdir(parents=True)
    (root / "code" / "a.one.yaml").write_text("name: a.one\n")
    store = FileSpecStore(root)
    store.prepare()
    assert names(store, "code") == ["a.one"]
    publish(store, "a.two")
    assert names(store, "code") == ["a.two"]


def test_a_crash_while_replacing_copied_files_loses_none(store: FileSpecStore, root: Path) -> None:
    publish(store, "a.one")
    (root / "code").unlink()  # the moment between taking the old set away and the new link
    assert FileSpecStore(root).prepare()
    assert names(store, "code") == ["a.one"]


def test_a_folder_that_is_missing_is_no_empty_set(store: FileSpecStore, root: Path) -> None:
    (root / "code").unlink()
    with pytest.raises(ServerError):
        store.scan()


def test_a_file_that_is_too_large_is_not_read(store: FileSpecStore, root: Path) -> None:
    (root / "manual" / "a.one.yaml").write_bytes(b"#" * (SPEC_MAX_BYTES + 1))
    with pytest.raises(DLIValidationError, match="1 MiB"):
        store.read(FileKey("manual", "a.one"))


def test_states_are_kept_beside_the_specs(tmp_path: Path) -> None:
    store = FileSpecStore(tmp_path / "store")
    store.prepare()
    store.put_state("a.b", {"paused": True})
    store.put_state("a.c", {"paused": False})
    store.remove_state("a.c")
    store.remove_state("a.never")
    (tmp_path / "store" / "state" / "a.torn.json").write_text("{")
    assert store.states() == {"a.b": {"paused": True}, "a.torn": {}}
    assert store.scan() == {}
