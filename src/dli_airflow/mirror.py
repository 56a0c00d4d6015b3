"""The local copy of the spec store that Airflow's DAG files are made of."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dli.exceptions import DLIError
from dli.specs.content import content_hash
from dli_airflow.entry import Entry
from dli_airflow.reading import SpecReader
from dli_airflow.shard import (
    SENTINEL,
    Shard,
    data_path,
    number_of,
    problem_path,
    read_shard,
    remove,
    retired_path,
    seen_version,
    shard_path,
    shard_stubs,
    write_shard,
    write_stub,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from dli.specs.published import PublishedEntry, PublishedSpecs

__all__ = ["Mirror"]

_log = logging.getLogger(__name__)
_NO_SHARD = Shard("", {})
_RETIRED_S = 20.0
_UNSEEN_S = 15.0


class Mirror:
    """Brings a folder in line with the store and touches only the DAG files that change.

    A spec that cannot be read or used keeps its last good content and hurts no other. A workflow
    that has left the store gets a file of its own, without a schedule, for a moment: when a file
    goes, Airflow drops its DAGs at once, while it misses one among others for minutes.
    """

    def __init__(self, folder: Path, shards: int) -> None:
        self._folder = folder
        self._shards = shards
        self._cache: dict[Path, tuple[int, Shard]] = {}

    def update(self, specs: PublishedSpecs, now: datetime) -> None:
        """Read what is new in the store. When that fails as a whole, all stays as it is."""
        found = specs.scan()
        self._folder.mkdir(parents=True, exist_ok=True)
        before = {stub: self._read(stub) for stub in shard_stubs(self._folder)}
        known = {name: entry for shard in before.values() for name, entry in shard.entries.items()}
        after: dict[Path, dict[str, Entry]] = {stub: {} for stub in before}
        stubs = [shard_path(self._folder, number) for number in range(self._shards)]
        reader = SpecReader(specs)
        reader.read_ahead([one for one in found.values() if _is_new(known.get(one.name), one)])
        for name, published in found.items():
            stub = stubs[number_of(name, self._shards)]
            entry = _current(known.get(name), published, reader, now)
            after.setdefault(stub, {})[name] = entry
        self._retire({name: entry for name, entry in known.items() if name not in found}, found)
        for stub, entries in after.items():
            _write(stub, before.get(stub, _NO_SHARD), entries)
        self._show_problems(after)
        if not (self._folder / SENTINEL).exists():
            write_stub(self._folder / SENTINEL)

    def _read(self, stub: Path) -> Shard:
        changed_ns = data_path(stub).stat().st_mtime_ns
        cached = self._cache.get(stub)
        if cached is not None and cached[0] == changed_ns:
            return cached[1]
        try:
            shard = read_shard(stub)
        except ValueError as exc:
            _log.warning("Making %s anew from the store: %s", stub.name, exc)
            return _NO_SHARD
        self._cache[stub] = changed_ns, shard
        return shard

    def _retire(self, gone: Mapping[str, Entry], found: Mapping[str, Any]) -> None:
        for name, entry in gone.items():
            if entry.content is not None:
                write_shard(retired_path(self._folder, name), {name: entry})
        for stub in (self._folder / "retired").glob("*.py"):
            if stub.stem in found or _age_s(stub) > _RETIRED_S:
                remove(stub)

    def _show_problems(self, after: Mapping[Path, Mapping[str, Entry]]) -> None:
        problems = {
            name: entry
            for entries in after.values()
            for name, entry in entries.items()
            if entry.problem is not None
        }
        for stub in (self._folder / "problems").glob("*.py"):
            if stub.stem not in problems:
                remove(stub)
        for name, entry in problems.items():
            stub = problem_path(self._folder, name)
            if not stub.exists() or read_shard(stub).entries != {name: entry}:
                write_shard(stub, {name: entry})


def _write(stub: Path, before: Shard, entries: dict[str, Entry]) -> None:
    if not entries:
        remove(stub)
    elif entries != before.entries:
        write_shard(stub, entries)
    elif not stub.exists() or _is_overlooked(stub, before.version):
        write_stub(stub)


def _is_new(known: Entry | None, published: PublishedEntry) -> bool:
    return known is None or known.signature != published.signature


def _current(
    known: Entry | None, published: PublishedEntry, reader: SpecReader, now: datetime
) -> Entry:
    """The entry of a spec as the store has it now."""
    if known is None or _is_new(known, published):
        fresh = _read_spec(known, published, reader)
    elif known.is_paused == _is_paused(known, published):
        return known  # nearly always; there may be thousands
    else:
        fresh = known
    fresh = replace(fresh, is_paused=_is_paused(fresh, published))
    since = known.since if known is not None and known.rhythm == fresh.rhythm else now.isoformat()
    return replace(fresh, since=since)


def _read_spec(known: Entry | None, published: PublishedEntry, reader: SpecReader) -> Entry:
    try:
        content = reader.content(published)
    except OSError as exc:
        return _kept(known, published, reader, exc, signature="")  # to be read again soon
    except DLIError as exc:
        return _kept(known, published, reader, exc, signature=published.signature)
    return replace(_empty(published), content=content, spec_hash=content_hash(content))


def _kept(
    known: Entry | None,
    published: PublishedEntry,
    reader: SpecReader,
    problem: Exception,
    *,
    signature: str,
) -> Entry:
    """The last good content, or that of the spec which the unusable one cannot override."""
    _log.warning("The spec of %s cannot be used: %s", published.name, problem)
    is_own = known is not None and known.source_type == published.source_type
    good = known if known is not None and is_own and known.content is not None else None
    if good is None and published.overridden is not None:
        good = _read_spec(None if is_own else known, published.overridden, reader)
    good = good or _empty(published)
    text = f"{published.source_type}/{published.name}.yaml: {problem}"
    return replace(good, signature=signature, problem=text)


def _empty(published: PublishedEntry) -> Entry:
    return Entry(
        name=published.name,
        source_type=published.source_type,
        signature=published.signature,
        is_paused=True,
        since="",
    )


def _is_paused(entry: Entry, published: PublishedEntry) -> bool:
    if published.paused is not None:
        return published.paused
    is_enabled: bool = entry.schedule.get("enabled", True)
    return not is_enabled


def _is_overlooked(stub: Path, version: str) -> bool:
    """Whether the newest data were never loaded: they came while Airflow was parsing the file."""
    return seen_version(stub) != version and _age_s(data_path(stub)) > _UNSEEN_S < _age_s(stub)


def _age_s(path: Path) -> float:
    return time.time() - path.stat().st_mtime
