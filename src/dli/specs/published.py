"""The effective specs of a spec store, for those who read it while no Basecamp need be running.

code/NAME.yaml     published from Git; in force where it exists
manual/NAME.yaml   registered; in force where there is no CODE spec of that name
state/NAME.json    `{"paused": bool, "until": instant or null}`, written by Basecamp; without it
                   `schedule.enabled` counts
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from dli.exceptions import ConfigurationError
from dli.specs.content import SPEC_MAX_BYTES, of_size
from dli.specs.name import is_name

__all__ = ["PublishedEntry", "PublishedSpecs", "open_published"]

_SUFFIX = ".yaml"


class PublishedEntry(NamedTuple):
    """A spec in force.

    Its `signature` changes with each of its files: its own, that of the overridden, and the state.
    `paused` is what Basecamp says, None where it says nothing. `overridden` is the MANUAL spec that
    a CODE spec of the same name hides.
    """

    name: str
    source_type: str
    signature: str
    paused: bool | None = None
    overridden: PublishedEntry | None = None


class PublishedSpecs(Protocol):
    """Read access to a spec store; `reads_at_once` is how many reads together are the fastest."""

    reads_at_once: int

    def scan(self) -> dict[str, PublishedEntry]:
        """All specs in force by name. Raises OSError when the store cannot be listed as a whole."""
        ...

    def read(self, entry: PublishedEntry) -> bytes:
        """The YAML text of one spec. Raises OSError, and DLIValidationError for one too large."""
        ...


def open_published(url: str) -> PublishedSpecs:
    """The store at this URL; nothing is read yet.

    Raises: ConfigurationError DLI-001 for a kind of store that this release does not have.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc:
        return FilePublishedSpecs(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        try:
            from dli.specs.published_bucket import BucketPublishedSpecs  # an optional library
        except ImportError as exc:
            raise ConfigurationError("A spec store on S3 needs the extra: dli[s3]") from exc
        return BucketPublishedSpecs(url)
    raise ConfigurationError(
        "The URL of a spec store must look like file:///folder or s3://bucket/prefix"
    )


class FilePublishedSpecs:
    """Implements `PublishedSpecs` on a folder."""

    reads_at_once = 1

    def __init__(self, root: Path) -> None:
        self._root = root

    def scan(self) -> dict[str, PublishedEntry]:
        states = self._states()
        return effective(self._folder("code", states), self._folder("manual", states))

    def read(self, entry: PublishedEntry) -> bytes:
        path = self._root / entry.source_type / f"{entry.name}{_SUFFIX}"
        with path.open("rb") as file:
            return of_size(file.read(SPEC_MAX_BYTES + 1))

    def _folder(self, source: str, states: dict[str, bytes]) -> dict[str, PublishedEntry]:
        found = {}
        with os.scandir((self._root / source).resolve(strict=True)) as files:
            for file in files:
                name = file.name.removesuffix(_SUFFIX)
                if name == file.name or not is_name(name) or file.is_symlink():
                    continue
                stat = file.stat(follow_symlinks=False)
                signature = f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}"
                found[name] = entry_of(name, source, signature, states.get(name))
        return found

    def _states(self) -> dict[str, bytes]:
        try:
            with os.scandir(self._root / "state") as files:
                paths = [Path(file.path) for file in files if file.name.endswith(".json")]
        except FileNotFoundError:
            return {}
        return {path.name.removesuffix(".json"): path.read_bytes() for path in paths}


def effective(
    code: dict[str, PublishedEntry], manual: dict[str, PublishedEntry]
) -> dict[str, PublishedEntry]:
    """CODE over MANUAL."""
    found = dict(manual)
    for name, entry in code.items():
        hidden = manual.get(name)
        signature = entry.signature
        if hidden is not None:
            signature = f"{signature}+{hidden.signature}"
        found[name] = entry._replace(signature=signature, overridden=hidden)
    return found


def entry_of(name: str, source_type: str, signature: str, state: bytes | None) -> PublishedEntry:
    """The entry of a file with what its state, if there is one, says now."""
    if state is None:
        return PublishedEntry(name, source_type, signature)
    digest = hashlib.sha256(state).hexdigest()[:16]
    return PublishedEntry(name, source_type, f"{signature}.{digest}", _is_paused(state))


def _is_paused(state: bytes) -> bool:
    """What a state file says now; one that cannot be understood holds the schedule."""
    try:
        said = json.loads(state)
        until = said.get("until")
        is_over = until is not None and datetime.fromisoformat(until) <= datetime.now(UTC)
        return said["paused"] is not False and not is_over
    except (ValueError, KeyError, TypeError, AttributeError):
        return True
