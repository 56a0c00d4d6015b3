"""Which spec files have been read and found right, by the content of all that this depended on."""

import json
import logging
import os
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from dli.config import state_dir
from dli.specs.content import digest_of
from dli.specs.discovery import Boundary, Places, label_of, quality_files, spec_files
from dli.specs.settings_key import settings_key

__all__ = ["CheckedSpec", "Contents", "Pass", "Tests", "ValidationCache", "values_of"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pass:
    """A check without errors: whether the names that templates asked for were known, and a digest
    of the environment variables that they read.
    """

    asked: dict[str, bool]
    variables: list[str]
    values: str
    warnings: list[str]


@dataclass(frozen=True)
class CheckedSpec:
    """A usable spec file: digests of its content and of its SQL files, and what it says."""

    name: str
    kind: str
    needs: list[str]
    content: str
    files: dict[str, str]
    has_gate: bool = False
    passed: Pass | None = None

    def holds(self, names: Container[str]) -> Pass | None:
        """The check, when it would come to the same again among these names.

        Its gate, if it has one, also depends on the quality files.
        """
        found = self.passed
        if found is None or any((n in names) != known for n, known in found.asked.items()):
            return None
        return found if found.values == values_of(found.variables) else None


def values_of(variables: Iterable[str]) -> str:
    """A digest of the values that environment variables have now."""
    values = [(name, os.environ.get(name)) for name in variables]
    return digest_of(json.dumps(values).encode())


Tests = dict[str, dict[str, str | None]]
"""Digests of each quality file by its label: its own under no name, and those of its SQL files."""


class Contents:
    """Digests of the files of a project; one that cannot be used has none."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._boundary = Boundary(root)

    def of(self, path: Path) -> str | None:
        with suppress(OSError, RuntimeError, ValueError):
            if self._boundary.holds(path):
                with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - many, each time
                    return digest_of(file.read())
        return None

    def of_files(self, path: Path, files: Iterable[str]) -> dict[str, str | None]:
        """Of the SQL files that the spec at `path` names."""
        folder = path.parent
        return {file: self.of(Path(os.path.join(folder, file))) for file in files}  # noqa: PTH118

    def of_tests(self, places: Places, named: Mapping[str, Iterable[str]]) -> Tests:
        """Of all quality files; `named` has, by label, the SQL files that they name."""
        found = ((label_of(path, self._root), path) for path in quality_files(self._root, places))
        return {
            label: {**self.of_files(path, named.get(label, ())), "": self.of(path)}
            for label, path in found
        }

    def are_those_of(self, spec: CheckedSpec, path: Path) -> bool:
        return self.of(path) == spec.content and self.of_files(path, spec.files) == spec.files


@dataclass
class ValidationCache:
    """`specs` has, by label, what is still true of the files of now; it may lack any of them."""

    root: Path
    key: str
    places: Places | None = None
    sources: list[str] = field(default_factory=list)
    tests: Tests = field(default_factory=dict)
    specs: dict[str, CheckedSpec] = field(default_factory=dict)
    is_complete: bool = False

    @classmethod
    def read(cls, root: Path) -> "ValidationCache":
        """What is kept; nothing when settings or program have changed. `root` is resolved."""
        cache = cls(root, settings_key(root, os.environ))
        cache._take(_stored(_file(root), cache.key))
        return cache

    def _take(self, stored: dict[str, Any] | None) -> None:
        if stored is None:
            return
        self.places, self.sources = Places(**stored["places"]), stored["sources"]
        contents, specs = Contents(self.root), stored["specs"]
        paths = spec_files(self.root, self.places)
        for path in paths:
            label = label_of(path, self.root)
            spec = _spec(specs.get(label))
            if spec is not None and contents.are_those_of(spec, path):
                self.specs[label] = spec
        names = {spec.name for spec in self.specs.values()}
        self.is_complete = len(paths) == len(names) == len(specs)
        self.tests = stored["tests"]
        if any(spec.has_gate for spec in self.specs.values()):
            self._check_gates(contents.of_tests(self.places, self.tests))

    def _check_gates(self, tests: Tests) -> None:
        """After a change in any quality file no gate is what it was."""
        if tests != self.tests:
            for label, spec in self.specs.items():
                self.specs[label] = replace(spec, passed=None) if spec.has_gate else spec

    def write(
        self, places: Places, sources: list[str], tests: Tests, specs: dict[str, CheckedSpec]
    ) -> None:
        """Keep this instead, unless the settings have changed since `read`.

        A place that cannot be written is no failure: the next check then takes its time.
        """
        now, before = (
            (places, sources, tests, specs),
            (self.places, self.sources, self.tests, self.specs),
        )
        if now == before:
            return
        if settings_key(self.root, os.environ) != self.key:
            return
        try:
            _store(
                _file(self.root),
                self.key,
                {"places": places, "sources": sources, "tests": tests, "specs": specs},
            )
        except OSError as error:
            _log.info("the validation is not kept: %s", error.strerror)


def _file(root: Path) -> Path:
    return state_dir(root) / "cache" / "validation.json"


def _stored(path: Path, key: str) -> dict[str, Any] | None:
    """The body of an unharmed file that was written under the same key."""
    try:
        seal, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    found: dict[str, Any] | None = json.loads(body) if seal == _seal(key, body) else None
    return found


def _store(path: Path, key: str, content: dict[str, Any]) -> None:
    body = json.dumps(content, default=vars, separators=(",", ":")).encode()
    for folder in (path.parents[1], path.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
    part = path.with_name(f".{uuid4().hex}")
    part.write_bytes(_seal(key, body) + b"\n" + body)
    part.replace(path)


def _seal(key: str, body: bytes) -> bytes:
    return digest_of(key.encode() + body).encode()


def _spec(stored: dict[str, Any] | None) -> CheckedSpec | None:
    if stored is None:
        return None
    passed = stored["passed"]
    return CheckedSpec(**{**stored, "passed": None if passed is None else Pass(**passed)})
