"""What the spec files held when they were last read, so that a start need not parse them all."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, NamedTuple

from basecamp.specstore.base import FileKey

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT = 1


class Reading(NamedTuple):
    """The outcome of reading a file of this signature: the hash of its spec, or what is wrong."""

    signature: str
    spec_hash: str | None
    error: str | None


class SpecIndex:
    """A cache and nothing more: losing it costs time. Used by one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._readings = _load(path)
        self._is_saved = True

    def find(self, key: FileKey, signature: str) -> Reading | None:
        """What reading the file gave, if it is still the same file."""
        known = self._readings.get(key)
        return known if known is not None and known.signature == signature else None

    def put(self, key: FileKey, reading: Reading) -> None:
        """Remember what a file holds."""
        self._readings[key] = reading
        self._is_saved = False

    def save(self, keep: set[FileKey]) -> None:
        """Write the index for the files that still exist."""
        gone = self._readings.keys() - keep
        if self._is_saved and not gone:
            return
        for key in gone:
            del self._readings[key]
        entries = [[*key, *reading] for key, reading in sorted(self._readings.items())]
        fresh = self._path.with_name(f".{self._path.name}-{secrets.token_hex(4)}")
        fresh.write_text(json.dumps({"format": _FORMAT, "entries": entries}), encoding="utf-8")
        fresh.replace(self._path)
        self._is_saved = True


def _load(path: Path) -> dict[FileKey, Reading]:
    try:
        stored = json.loads(path.read_bytes())
        if stored["format"] != _FORMAT:
            return {}
        return {
            FileKey(source_type, name): Reading(signature, spec_hash, error)
            for source_type, name, signature, spec_hash, error in stored["entries"]
        }
    except (OSError, ValueError, TypeError, KeyError):
        return {}
