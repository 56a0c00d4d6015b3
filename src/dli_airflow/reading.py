"""Specs of the store as the DAG files keep them, also when thousands are new at once."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import current_process, get_context
from typing import TYPE_CHECKING, Any

from dli.exceptions import DLIError
from dli.specs.parser import named_dataset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dli.specs.published import PublishedEntry, PublishedSpecs

__all__ = ["SpecReader"]

_MANY = 500
_CHUNK = 100


class SpecReader:
    """Reads one spec after the other, and many ahead of that on all cores."""

    def __init__(self, specs: PublishedSpecs) -> None:
        self._specs = specs
        self._ahead: dict[PublishedEntry, dict[str, Any]] = {}

    def read_ahead(self, entries: Sequence[PublishedEntry]) -> None:
        """Prepare what `content` answers, if it is many; what cannot be read is left to that."""
        if len(entries) < _MANY:
            return
        found = _parsed(self._texts(entries), [entry.name for entry in entries])
        pairs = zip(entries, found, strict=True)
        self._ahead = {entry: content for entry, content in pairs if content is not None}

    def content(self, entry: PublishedEntry) -> dict[str, Any]:
        """The spec with its defaults, as JSON. Raises OSError, and DLIError for an unusable one."""
        ahead = self._ahead.pop(entry, None)
        return ahead or _content(self._specs.read(entry), entry.name)

    def _texts(self, entries: Sequence[PublishedEntry]) -> list[bytes | None]:
        if self._specs.reads_at_once == 1:
            return [self._text(entry) for entry in entries]
        with ThreadPoolExecutor(self._specs.reads_at_once) as readers:
            return list(readers.map(self._text, entries))

    def _text(self, entry: PublishedEntry) -> bytes | None:
        try:
            return self._specs.read(entry)
        except (DLIError, OSError):
            return None


def _parsed(texts: list[bytes | None], names: list[str]) -> list[dict[str, Any] | None]:
    if not current_process().daemon:  # as Celery's workers are: they may have no children
        with (
            suppress(BrokenProcessPool),  # one was killed, as for want of memory
            ProcessPoolExecutor(mp_context=get_context("fork")) as parsers,
        ):
            return list(parsers.map(_content_if_usable, texts, names, chunksize=_CHUNK))
    return list(map(_content_if_usable, texts, names))


def _content_if_usable(text: bytes | None, name: str) -> dict[str, Any] | None:
    try:
        return None if text is None else _content(text, name)
    except DLIError:
        return None


def _content(text: bytes, name: str) -> dict[str, Any]:
    spec = named_dataset(text, name)
    content: dict[str, Any] = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    return content
