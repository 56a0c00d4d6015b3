"""What every spec store does, on a folder and on a real S3 server."""

from pathlib import Path
from typing import Any

import pytest

from basecamp.specstore.base import FileKey, SpecStore
from basecamp.specstore.location import open_spec_store
from dli.exceptions import DLIValidationError
from dli.outgoing import Destinations
from dli.specs.published import open_published
from dli_airflow.reading import SpecReader


def content(name: str, description: str = "") -> dict[str, Any]:
    return {"name": name, "owner": "ana", "team": "t", "description": description}


@pytest.fixture
def store(every_store: SpecStore) -> SpecStore:
    return every_store


def publish(store: SpecStore, *names: str) -> None:
    store.switch_code(store.stage_code({name: content(name) for name in names}))
    store.prune_code()


def names(store: SpecStore, source: str) -> list[str]:
    return sorted(key.name for key in store.scan() if key.source_type == source)


def test_a_set_is_in_force_after_the_switch_and_not_before(store: SpecStore) -> None:
    staged = store.stage_code({"a.one": content("a.one")})
    assert names(store, "code") == []
    store.switch_code(staged)
    assert names(store, "code") == ["a.one"]


def test_a_set_replaces_the_one_before_as_a_whole(store: SpecStore) -> None:
    publish(store, "a.one", "a.two")
    before = store.switch_code(store.stage_code({"a.two": content("a.two")}))
    assert names(store, "code") == ["a.two"]
    store.switch_code(before)
    assert names(store, "code") == ["a.one", "a.two"]


def test_a_file_that_stays_the_same_keeps_its_signature(store: SpecStore) -> None:
    publish(store, "a.one")
    key = FileKey("code", "a.one")
    before = store.signature(key)
    publish(store, "a.one", "a.two")
    assert store.signature(key) == before
    store.switch_code(store.stage_code({"a.one": content("a.one", "new")}))
    assert store.signature(key) not in (before, None)


@pytest.mark.parametrize("name", ["../evil.x", "a/b.c", "solo", "", "a.b\0"])
def test_no_name_leads_out_of_the_store(store: SpecStore, name: str) -> None:
    with pytest.raises(DLIValidationError):
        store.put_manual(name, content("a.one"))
    with pytest.raises(DLIValidationError):
        store.read(FileKey("manual", name))
    assert store.signature(FileKey("manual", name)) is None


def test_what_is_written_is_read(store: SpecStore) -> None:
    publish(store, "a.one")
    store.put_manual("m.one", content("m.one", "by hand"))
    assert b"a.one" in store.read(FileKey("code", "a.one"))
    assert b"by hand" in store.read(FileKey("manual", "m.one"))
    with pytest.raises(FileNotFoundError):
        store.read(FileKey("code", "m.one"))
    with pytest.raises(FileNotFoundError):
        store.read(FileKey("manual", "a.one"))


def test_a_manual_file_comes_changes_and_goes(store: SpecStore) -> None:
    key = FileKey("manual", "a.one")
    store.put_manual("a.one", content("a.one"))
    first = store.signature(key)
    store.put_manual("a.one", content("a.one", "changed"))
    assert store.signature(key) not in (first, None)
    assert store.signatures([key, FileKey("code", "a.one")]) == {
        key: store.signature(key),
        FileKey("code", "a.one"): None,
    }
    store.remove_manual("a.one")
    store.remove_manual("a.one")
    assert store.scan() == {}


def test_old_sets_go_and_one_before_can_come_back(store: SpecStore) -> None:
    publish(store, "a.old")
    before = store.switch_code(store.stage_code({"a.new": content("a.new")}))
    for number in range(8):
        store.stage_code({f"a.b{number}": content(f"a.b{number}")})
    assert names(store, "code") == ["a.new"]
    store.prune_code()
    assert names(store, "code") == ["a.new"]
    assert store.read(FileKey("code", "a.new"))
    assert before


def test_states_come_and_go(store: SpecStore) -> None:
    store.put_state("a.one", {"paused": True})
    store.put_state("a.one", {"paused": False})
    assert store.states() == {"a.one": {"paused": False}}
    store.remove_state("a.one")
    store.remove_state("a.one")
    assert store.states() == {}


def test_another_server_finds_the_same(store: SpecStore, store_url: str, tmp_path: Path) -> None:
    publish(store, "a.one")
    other = open_spec_store(store_url, tmp_path, Destinations.named_in(["127.0.0.1"]))
    assert other.prepare()
    assert other.scan() == store.scan()
    publish(other, "a.two")
    assert names(store, "code") == ["a.two"]


def test_readers_beside_the_server_see_what_is_in_force(store: SpecStore, store_url: str) -> None:
    published = open_published(store_url)
    store.put_manual("a.one", content("a.one", "by hand"))
    store.put_manual("a.two", content("a.two", "by hand"))
    publish(store, "a.one")
    store.put_state("a.two", {"paused": True})
    found = published.scan()
    assert {name: entry.source_type for name, entry in found.items()} == {
        "a.one": "code",
        "a.two": "manual",
    }
    assert found["a.one"].overridden is not None
    assert b"by hand" in published.read(found["a.one"].overridden)
    assert b"by hand" not in published.read(found["a.one"])
    assert (found["a.one"].paused, found["a.two"].paused) == (None, True)
    publish(store, "a.three")
    later = published.scan()
    assert {name: entry.source_type for name, entry in later.items()} == {
        "a.one": "manual",
        "a.two": "manual",
        "a.three": "code",
    }
    assert later["a.two"] == found["a.two"]
    assert later["a.one"].signature != found["a.one"].signature


def test_many_are_read_ahead(
    store: SpecStore, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spec(number: int) -> dict[str, Any]:
        return content(f"a.b.c{number}", f"text {number}") | {"query_statement": "SELECT 1"}

    store.switch_code(store.stage_code({f"a.b.c{number}": spec(number) for number in range(20)}))
    for number in range(20, 40):
        store.put_manual(f"a.b.c{number}", spec(number))
    published = open_published(store_url)
    entries = list(published.scan().values())
    monkeypatch.setattr("dli_airflow.reading._MANY", len(entries))
    reader = SpecReader(published)
    reader.read_ahead(entries)
    monkeypatch.delattr(type(published), "read")  # nothing is read a second time
    found = {entry.name: reader.content(entry)["description"] for entry in entries}
    assert found == {f"a.b.c{number}": f"text {number}" for number in range(40)}
