"""One YAML file as plain values, read strictly and safely, with the line of every key."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dli.exceptions import DLIValidationError
from dli.specs.content import digest_of
from dli.specs.refusal import refused

__all__ = ["Document", "Place", "Plain", "read_document", "typed"]

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 20_000

# The parser alone, without the composer of PyYAML, which deep nesting crashes.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Place = tuple[str | int, ...]
"""The keys and list positions that lead to a value."""


class Plain(str):
    """The text of an unquoted scalar; the model decides if it is a number, a date or a word."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Document:
    """Mappings, lists and texts of one file; `label` names the file in messages, `digest` is that
    of its content.
    """

    label: str
    data: dict[str, Any]
    lines: dict[Place, int] = field(default_factory=dict)
    text_lines: dict[Place, int] = field(default_factory=dict)
    digest: str = ""

    def line(self, place: Place) -> int:
        """The line of this key or of the nearest one around it, counted from 1."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def text_line(self, place: Place) -> int:
        """The line on which the text of a scalar begins: below the key for a block."""
        return self.text_lines.get(place) or self.line(place)

    def at(self, place: Place) -> str:
        """`path:line`, the beginning of a message; a value without lines is named only."""
        return f"{self.label}:{self.line(place)}" if self.lines else self.label


def read_document(source: bytes | Path, label: str, *, may_be_empty: bool = False) -> Document:
    """Read one mapping. Every problem names `label` and the line.

    Raises: DLIValidationError DLI-203.
    """
    reader = _Reader(label)
    try:
        content = _content(source)
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise refused(f"{label}: {_reason(error)}") from error
    try:
        data = reader.read(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise refused(
            f"{label}:{line}: not valid YAML: {error.problem or error.context}"
        ) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise refused(
            f"{label}:{line}: not valid YAML: a character that YAML does not allow"
        ) from error
    if data is None and may_be_empty:
        data = {}
    if not isinstance(data, dict):
        raise refused(f"{label}:1: keys and values expected, such as `name: ...`")
    return Document(label, data, reader.lines, reader.text_lines, digest_of(content))


def _content(source: bytes | Path) -> bytes:
    if isinstance(source, Path):
        with source.open("rb") as file:
            source = file.read(MAX_BYTES + 1)
    if len(source) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES // 1024} KiB")
    return source


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8 text"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or type(error).__name__}"
    return str(error)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


class _Reader:
    """Builds values from parser events; limits hold before anything large or deep exists."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.lines: dict[Place, int] = {}
        self.text_lines: dict[Place, int] = {}
        self.node_count = 0

    def read(self, events: Iterator[Any]) -> Any:
        data, document_count = None, 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                document_count += 1
                if document_count > 1:
                    raise self._refused(event, "only one document per file is allowed")
            elif isinstance(event, yaml.NodeEvent):
                data = self._value(event, events, ())
        return data

    def _value(self, event: Any, events: Iterator[Any], place: Place) -> Any:
        self._check(event, place)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, place)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, place)
        return self._mapping(events, place)

    def _check(self, event: Any, place: Place) -> None:
        self.node_count += 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._refused(event, "anchors and aliases are not allowed")
        if event.tag is not None:
            raise self._refused(event, "tags are not allowed")
        if len(place) > MAX_DEPTH:
            raise self._refused(event, f"nested deeper than {MAX_DEPTH} levels")
        if self.node_count > MAX_NODES:
            raise self._refused(event, f"more than {MAX_NODES:,} values")

    def _scalar(self, event: Any, place: Place) -> str | None:
        if event.style in ("|", ">"):
            self.text_lines[place] = _line(event) + 1
        if event.style:  # None or "" for an unquoted one
            return str(event.value)
        return None if event.value in ("", "~", "null", "Null", "NULL") else Plain(event.value)

    def _sequence(self, events: Iterator[Any], place: Place) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            item_place = (*place, len(items))
            self.lines[item_place] = _line(event)
            items.append(self._value(event, events, item_place))
        return items

    def _mapping(self, events: Iterator[Any], place: Place) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            self._check(event, place)
            if not isinstance(event, yaml.ScalarEvent):
                raise self._refused(event, "a key must be a word")
            key, line = str(event.value), _line(event)
            key_place = (*place, key)
            if key in mapping:
                first = self.lines[key_place]
                raise self._refused(event, f"duplicate key '{key}', first given on line {first}")
            self.lines[key_place] = line
            mapping[key] = self._value(next(events), events, key_place)
        return mapping

    def _refused(self, event: Any, reason: str) -> DLIValidationError:
        return refused(f"{self.label}:{_line(event)}: {reason}")


_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?(?:[eE][-+]?[0-9]{1,2})?")
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


def typed(value: Any) -> Any:
    """A free-form value with unquoted scalars read as JSON would: numbers, booleans, else text."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    if not isinstance(value, Plain):
        return value
    if value in _BOOLEANS:
        return _BOOLEANS[value]
    if _INTEGER.fullmatch(value):
        return int(value)
    return float(value) if _FLOAT.fullmatch(value) else str(value)
