"""What a spec store offers to those who read it without Basecamp."""

import json
import os
from pathlib import Path

import pytest

from dli.exceptions import ConfigurationError, DLIValidationError
from dli.specs.published import open_published


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for folder in ("versions/1", "manual", "state"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "code").symlink_to("versions/1")
    return tmp_path


def test_code_is_in_force_and_knows_what_it_hides(store: Path) -> None:
    (store / "code" / "a.b.yaml").write_text("code")
    (store / "manual" / "a.b.yaml").write_text("manual")
    (store / "manual" / "a.c.yaml").write_text("alone")
    specs = open_published(store.as_uri())
    found = specs.scan()
    assert {name: entry.source_type for name, entry in found.items()} == {
        "a.b": "code",
        "a.c": "manual",
    }
    hidden = found["a.b"].overridden
    assert hidden is not None
    assert [specs.read(entry) for entry in (found["a.b"], hidden)] == [b"code", b"manual"]
    assert found["a.c"].overridden is None


@pytest.mark.parametrize("source", ["code", "manual"])
def test_the_signature_changes_with_each_of_the_files(store: Path, source: str) -> None:
    for folder in ("code", "manual"):
        (store / folder / "a.b.yaml").write_text("one")
    specs = open_published(store.as_uri())
    before = specs.scan()["a.b"].signature
    assert specs.scan()["a.b"].signature == before
    fresh = store / source / "fresh"
    fresh.write_text("two")
    fresh.rename(store / source / "a.b.yaml")
    assert specs.scan()["a.b"].signature != before


def test_the_signature_changes_with_the_state_too(store: Path) -> None:
    (store / "manual" / "a.b.yaml").write_text("x")
    specs = open_published(store.as_uri())
    seen = {specs.scan()["a.b"].signature}
    for state in ('{"paused": false}', '{"paused": false, "asked_at": "now"}'):
        (store / "state" / "a.b.json").write_text(state)
        seen.add(specs.scan()["a.b"].signature)
    assert len(seen) == 3


def test_only_files_with_the_name_of_a_spec_count(store: Path) -> None:
    for name in (".a.b.yaml-1", "a.b.yml", "-a.b.yaml", "a..b.yaml"):
        (store / "manual" / name).write_text("x")
    (store / "manual" / "link.b.yaml").symlink_to("/etc/hostname")
    assert open_published(store.as_uri()).scan() == {}


@pytest.mark.parametrize(
    ("state", "paused"),
    [
        ('{"paused": true}', True),
        ('{"paused": false}', False),
        ('{"paused": true, "until": "2999-01-01T00:00:00+00:00"}', True),
        ('{"paused": true, "until": "2020-01-01T00:00:00+00:00"}', False),
        ('{"paused": true, "until": "2020-01-01"}', True),
        ("{", True),
        ("[]", True),
    ],
)
def test_a_pause_is_what_basecamp_wrote_and_holds_when_in_doubt(
    store: Path, state: str, paused: bool
) -> None:
    (store / "manual" / "a.b.yaml").write_text("x")
    assert open_published(store.as_uri()).scan()["a.b"].paused is None
    (store / "state" / "a.b.json").write_text(state)
    assert open_published(store.as_uri()).scan()["a.b"].paused is paused


def test_a_store_that_is_not_whole_is_an_error_and_not_empty(store: Path) -> None:
    (store / "manual" / "a.b.yaml").write_text("x")
    (store / "code").unlink()
    with pytest.raises(OSError, match="code"):
        open_published(store.as_uri()).scan()


def test_a_spec_of_more_than_a_mebibyte_is_refused(store: Path) -> None:
    (store / "manual" / "a.b.yaml").write_bytes(os.urandom(1024 * 1024 + 1))
    specs = open_published(store.as_uri())
    with pytest.raises(DLIValidationError):
        specs.read(specs.scan()["a.b"])


@pytest.mark.parametrize("url", ["/abs/path", "file://host/path", "ftp://host/x", ""])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        open_published(url)


def test_a_state_without_a_spec_is_nothing(store: Path) -> None:
    (store / "state" / "a.b.json").write_text(json.dumps({"paused": True}))
    assert open_published(store.as_uri()).scan() == {}
