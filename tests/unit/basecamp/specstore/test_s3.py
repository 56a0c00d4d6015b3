"""The spec store on a real S3 server keeps the last good set, whatever half of it is there."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from obstore.store import S3Store

from basecamp.specstore.base import FileKey
from basecamp.specstore.s3 import S3SpecStore
from bucket_server import BucketServer
from dli.exceptions import DLIValidationError, ServerError
from dli.specs.bucket import Bucket, BucketError


def content(name: str, description: str = "") -> dict[str, Any]:
    return {"name": name, "owner": "ana", "team": "t", "description": description}


@pytest.fixture
def store(s3_url: str) -> S3SpecStore:
    return S3SpecStore(s3_url)


@pytest.fixture
def hand(s3_server: BucketServer, s3_url: str) -> S3Store:
    """Somebody who writes to the bucket without us."""
    return s3_server.client(s3_url.rpartition("/")[2])


def publish(store: S3SpecStore, *names: str) -> str:
    return store.switch_code(store.stage_code({name: content(name) for name in names}))


def code(store: S3SpecStore) -> list[str]:
    return sorted(key.name for key in store.scan() if key.source_type == "code")


def paths(hand: S3Store, folder: str) -> list[str]:
    return [meta["path"] for page in hand.list(f"{folder}/") for meta in page]


def test_files_copied_by_hand_are_read_then_replaced_and_come_back(
    store: S3SpecStore, hand: S3Store
) -> None:
    hand.put("code/a.one.yaml", b"name: a.one\n")
    hand.put("code/notes.txt", b"x")
    assert store.prepare()
    assert code(store) == ["a.one"]
    assert store.read(FileKey("code", "a.one")) == b"name: a.one\n"
    before = publish(store, "a.two")
    assert code(store) == ["a.two"]
    store.switch_code(before)
    assert code(store) == ["a.one"]


def test_f17_a_set_that_was_only_half_uploaded_is_never_seen(
    store: S3SpecStore, hand: S3Store
) -> None:
    publish(store, "a.one")
    store.stage_code({"a.two": content("a.two")})  # and then the publisher died
    hand.put("objects/unfinished.yaml", b"name: a.thr")
    assert code(store) == ["a.one"]
    assert b"a.one" in store.read(FileKey("code", "a.one"))


@pytest.mark.parametrize("damage", [b"", b"{", b'{"specs": {}}', b"[]"])
def test_a_damaged_manifest_is_no_empty_set(
    s3_url: str, store: S3SpecStore, hand: S3Store, damage: bytes
) -> None:
    publish(store, "a.one")
    (manifest,) = paths(hand, "versions")
    hand.put(manifest, damage)
    with pytest.raises(ServerError):
        S3SpecStore(s3_url).scan()


def test_a_missing_manifest_is_no_empty_set(s3_url: str, store: S3SpecStore, hand: S3Store) -> None:
    publish(store, "a.one")
    hand.delete(paths(hand, "versions"))
    with pytest.raises(ServerError):
        S3SpecStore(s3_url).scan()


def test_a_spec_that_is_not_what_was_published_is_not_read(
    store: S3SpecStore, hand: S3Store
) -> None:
    publish(store, "a.one")
    (path,) = paths(hand, "objects")
    hand.put(path, b"name: a.one\nowner: mallory\n")
    with pytest.raises(BucketError):
        store.read(FileKey("code", "a.one"))


def test_a_publisher_that_was_overtaken_changes_nothing(s3_url: str) -> None:
    slow, fast = S3SpecStore(s3_url), S3SpecStore(s3_url)
    publish(slow, "a.zero")
    staged = slow.stage_code({"a.slow": content("a.slow")})
    stale = slow._sets.in_force()
    publish(fast, "a.fast")
    slow._sets.in_force = lambda: stale  # type: ignore[method-assign]
    with pytest.raises(ServerError, match="publish again"):
        slow.switch_code(staged)
    assert code(fast) == ["a.fast"]


def test_f16_of_fifty_writers_of_a_pointer_none_is_lost(s3_url: str) -> None:
    bucket = Bucket(s3_url)
    bucket.create("names.json", b"[]")

    def add(number: int) -> None:
        while True:
            try:
                data, tag = bucket.get("names.json")
                names = json.loads(data)
                if number in names:  # also when the answer to our write got lost
                    return
                bucket.put("names.json", json.dumps([*names, number]).encode(), replaces=tag)
            except BucketError:  # overtaken, or the server was too slow to say
                continue

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, range(50)))
    assert sorted(json.loads(bucket.get("names.json")[0])) == list(range(50))


def test_a_spec_that_is_too_large_is_refused(store: S3SpecStore, hand: S3Store) -> None:
    hand.put("manual/a.one.yaml", b"#" * (1024 * 1024 + 1))
    with pytest.raises(DLIValidationError, match="1 MiB"):
        store.read(FileKey("manual", "a.one"))


def test_a_server_that_is_away_is_no_empty_store(
    s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(ServerError, match="not available"):
        S3SpecStore(s3_url).scan()
