"""The local copy of the spec store touches what changes and lets a bad spec hurt only itself."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing import current_process
from pathlib import Path

import pytest

from dli.specs.content import content_hash
from dli.specs.published import open_published
from dli_airflow.entry import Entry
from dli_airflow.mirror import Mirror
from dli_airflow.shard import (
    SENTINEL,
    data_path,
    number_of,
    problem_path,
    read_shard,
    retired_path,
    shard_path,
    write_seen,
)

SHARDS = 4
NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
SPEC = """
name: {name}
owner: ann@example.com
team: data
description: {text}
query_statement: SELECT 1
schedule: {{cron: "0 6 * * *", enabled: {enabled}}}
"""


class Store:
    """A spec store with its mirror."""

    def __init__(self, root: Path) -> None:
        self.root = root / "store"
        self.folder = root / "dags"
        for name in ("code", "manual", "state"):
            (self.root / name).mkdir(parents=True)
        self.mirror = Mirror(self.folder, SHARDS)
        self.now = NOW

    def put(
        self, name: str, text: str = "first", *, source: str = "code", enabled: bool = True
    ) -> None:
        self.write(f"{source}/{name}.yaml", SPEC.format(name=name, text=text, enabled=enabled))

    def write(self, place: str, text: str) -> None:
        fresh = self.root / "fresh"
        fresh.write_text(text)
        fresh.rename(self.root / place)

    def update(self) -> None:
        self.now += timedelta(minutes=1)
        self.mirror.update(open_published(self.root.as_uri()), self.now)

    def entry(self, name: str) -> Entry:
        return read_shard(self.stub(name)).entries[name]

    def stub(self, name: str) -> Path:
        return shard_path(self.folder, number_of(name, SHARDS))

    def text(self, name: str) -> str:
        content = self.entry(name).content
        assert content is not None
        description: str = content["description"]
        return description


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def touched(store: Store) -> Callable[[], set[str]]:
    """Updates and tells which files were written anew."""

    def stubs() -> dict[str, int]:
        return {path.name: path.stat().st_ino for path in store.folder.rglob("*.py")}

    def update() -> set[str]:
        before = stubs()
        store.update()
        after = stubs()
        return {name for name in {*before, *after} if before.get(name) != after.get(name)}

    return update


def test_a_spec_becomes_data_of_one_stub(store: Store) -> None:
    store.put("lake.mart.orders")
    store.update()
    entry = store.entry("lake.mart.orders")
    assert entry.content is not None
    assert entry.spec_hash == content_hash(entry.content)
    assert (entry.source_type, entry.is_paused, entry.problem) == ("code", False, None)
    assert entry.rhythm == ("0 6 * * *", "UTC", True)
    assert {path.name for path in store.folder.rglob("*.py")} == {
        SENTINEL,
        store.stub("lake.mart.orders").name,
    }


def test_stubs_hold_nothing_of_a_spec(store: Store) -> None:
    store.put("lake.mart.orders", "'''; import os #")
    store.update()
    stub = store.stub("lake.mart.orders").read_text()
    assert stub == (store.folder / SENTINEL).read_text()
    assert "orders" not in stub
    assert "airflow" in stub  # both words, or Airflow does not look into the file
    assert "dag" in stub


def test_only_the_shard_of_a_change_is_touched(
    store: Store, touched: Callable[[], set[str]]
) -> None:
    names = [f"lake.mart.t{number}" for number in range(20)]
    for name in names:
        store.put(name)
    assert len(touched()) == SHARDS + 1
    for stub in store.folder.glob("dli_shard_*.py"):
        write_seen(stub, read_shard(stub).version)
    assert touched() == set()
    store.put(names[3], "second")
    assert touched() == {store.stub(names[3]).name}
    assert store.text(names[3]) == "second"


def test_a_poisoned_spec_keeps_its_last_good_content_and_hurts_no_other(store: Store) -> None:
    names = [f"lake.mart.t{number}" for number in range(9)]
    for name in names:
        store.put(name)
    store.update()
    store.write(f"code/{names[0]}.yaml", "name: [")
    store.put(names[1], "second")
    store.update()
    assert store.text(names[0]) == "first"
    assert store.text(names[1]) == "second"
    problem = store.entry(names[0]).problem
    assert problem is not None
    assert f"code/{names[0]}.yaml" in problem
    assert read_shard(problem_path(store.folder, names[0])).entries[names[0]].problem == problem
    assert [path.stem for path in (store.folder / "problems").glob("*.py")] == [names[0]]
    store.put(names[0], "healed")
    store.update()
    assert store.text(names[0]) == "healed"
    assert store.entry(names[0]).problem is None
    assert not problem_path(store.folder, names[0]).exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "name: other.name\nowner: a\nteam: b\n", "\x00", "name: lake.mart.t\n"]
)
def test_a_first_spec_that_is_unusable_is_a_problem_and_no_dag(store: Store, text: str) -> None:
    store.write("code/lake.mart.t.yaml", text)
    store.update()
    assert store.entry("lake.mart.t").content is None
    assert store.entry("lake.mart.t").problem
    assert problem_path(store.folder, "lake.mart.t").exists()


@pytest.mark.parametrize("is_known", [True, False])
def test_an_unusable_code_spec_overrides_nothing(store: Store, is_known: bool) -> None:
    store.put("lake.mart.t", "by hand", source="manual")
    if is_known:
        store.update()
    store.write("code/lake.mart.t.yaml", "name: [")
    store.update()
    entry = store.entry("lake.mart.t")
    assert (entry.source_type, store.text("lake.mart.t")) == ("manual", "by hand")
    assert entry.problem is not None
    store.put("lake.mart.t", "by hand, later", source="manual")
    store.update()
    assert store.text("lake.mart.t") == "by hand, later"
    store.put("lake.mart.t", "from git")
    store.update()
    assert (store.entry("lake.mart.t").source_type, store.text("lake.mart.t")) == (
        "code",
        "from git",
    )


def test_code_gives_way_to_the_manual_spec_when_it_goes(store: Store) -> None:
    store.put("lake.mart.t", "by hand", source="manual")
    store.put("lake.mart.t", "from git")
    store.update()
    assert store.text("lake.mart.t") == "from git"
    (store.root / "code/lake.mart.t.yaml").unlink()
    store.update()
    assert (store.entry("lake.mart.t").source_type, store.text("lake.mart.t")) == (
        "manual",
        "by hand",
    )
    assert not retired_path(store.folder, "lake.mart.t").exists()


def test_a_spec_that_leaves_is_retired_for_a_moment(store: Store) -> None:
    store.put("lake.mart.t")
    store.update()
    (store.root / "code/lake.mart.t.yaml").unlink()
    store.update()
    retired = retired_path(store.folder, "lake.mart.t")
    assert read_shard(retired).entries["lake.mart.t"].spec_hash
    assert not store.stub("lake.mart.t").exists()
    store.update()
    assert retired.exists()
    os.utime(retired, (time.time() - 60, time.time() - 60))
    store.update()
    assert [*retired.parent.iterdir()] == []


def test_a_spec_that_comes_back_is_not_retired(store: Store) -> None:
    store.put("lake.mart.t")
    store.update()
    (store.root / "code/lake.mart.t.yaml").unlink()
    store.update()
    store.put("lake.mart.t", "again")
    store.update()
    assert not retired_path(store.folder, "lake.mart.t").exists()
    assert store.text("lake.mart.t") == "again"


def test_a_store_that_cannot_be_listed_changes_nothing(store: Store) -> None:
    store.put("lake.mart.t")
    store.update()
    (store.root / "code").rename(store.root / "elsewhere")
    with pytest.raises(OSError, match="code"):
        store.update()
    assert store.text("lake.mart.t") == "first"


def test_a_spec_that_cannot_be_read_is_asked_for_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("lake.mart.t")
    store.update()
    store.put("lake.mart.t", "second")
    specs = open_published(store.root.as_uri())

    def fail(_entry: object) -> bytes:
        raise OSError("connection reset")

    with monkeypatch.context() as patch:
        patch.setattr(specs, "read", fail)
        store.mirror.update(specs, NOW)
    assert store.text("lake.mart.t") == "first"
    assert "connection reset" in (store.entry("lake.mart.t").problem or "")
    store.update()
    assert store.text("lake.mart.t") == "second"


@pytest.mark.parametrize("may_have_children", [True, False])
def test_many_at_once_are_read_as_one_after_the_other(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, may_have_children: bool
) -> None:
    for number in range(20):
        store.put(f"lake.mart.table_{number}", f"text {number}")
    store.put("lake.mart.both", "kept", source="manual")
    store.write("code/lake.mart.both.yaml", "name: [")
    store.write("code/lake.mart.other.yaml", SPEC.format(name="a.b.c", text="", enabled=True))
    names = {path.stem for path in (store.root / "code").glob("*.yaml")}
    store.update()
    expected = {name: store.entry(name) for name in names}
    assert expected["lake.mart.both"].content is not None
    assert expected["lake.mart.other"].problem is not None

    monkeypatch.setattr("dli_airflow.reading._MANY", len(names))
    if not may_have_children:
        # What multiprocessing notes in the workers of Celery.
        monkeypatch.setitem(vars(current_process())["_config"], "daemon", True)
    again = Mirror(tmp_path / "again", SHARDS)
    again.update(open_published(store.root.as_uri()), store.now)
    for name in names:
        stub = shard_path(tmp_path / "again", number_of(name, SHARDS))
        assert read_shard(stub).entries[name] == expected[name]


def test_a_pause_holds_the_schedule_and_its_end_starts_it_anew(store: Store) -> None:
    store.put("lake.mart.t")
    store.update()
    first = store.entry("lake.mart.t").since
    store.put("lake.mart.t", "same schedule")
    store.update()
    assert store.entry("lake.mart.t").since == first
    store.write("state/lake.mart.t.json", json.dumps({"paused": True}))
    store.update()
    assert store.entry("lake.mart.t").rhythm == ("0 6 * * *", "UTC", False)
    store.write("state/lake.mart.t.json", json.dumps({"paused": False}))
    store.update()
    assert store.entry("lake.mart.t").rhythm[2]
    assert store.entry("lake.mart.t").since == store.now.isoformat()


def test_without_a_word_of_basecamp_a_disabled_schedule_is_paused(store: Store) -> None:
    store.put("lake.mart.t", enabled=False)
    store.update()
    assert store.entry("lake.mart.t").is_paused
    store.write("state/lake.mart.t.json", json.dumps({"paused": False}))
    store.update()
    assert not store.entry("lake.mart.t").is_paused


@pytest.mark.parametrize("damage", ["", "{}", '{"version": "1", "entries": {"a": {"b": 1}}}', "[]"])
def test_damaged_data_are_made_anew_from_the_store(store: Store, damage: str) -> None:
    store.put("lake.mart.t")
    store.update()
    data_path(store.stub("lake.mart.t")).write_text(damage)
    store.update()
    assert store.text("lake.mart.t") == "first"


def test_data_that_came_during_a_parse_are_offered_again(
    store: Store, touched: Callable[[], set[str]]
) -> None:
    store.put("lake.mart.t")
    store.update()
    stub = store.stub("lake.mart.t")
    assert touched() == set()  # the parse may still come
    for path in (stub, data_path(stub)):
        os.utime(path, (time.time() - 60, time.time() - 60))
    assert touched() == {stub.name}
    write_seen(stub, read_shard(stub).version)
    os.utime(stub, (time.time() - 60, time.time() - 60))
    assert touched() == set()


def test_a_workflow_keeps_its_shard() -> None:
    assert [number_of(f"lake.mart.t{number}", 64) for number in range(4)] == [43, 44, 18, 57]
