"""Files of the project that appear on the embedded warehouse as read-only views."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dli.config import state_dir
from dli.exceptions import ConfigurationError
from dli.warehouse.relation import Relation

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SourceDefinition", "SourceView", "escaped", "source_views"]

_READERS = {"parquet": "read_parquet", "csv": "read_csv", "json": "read_json"}
_SUFFIXES = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}
_GLOB_MARKS = frozenset("*?[")


class SourceDefinition(Protocol):
    """An entry of `sources:` in `dli.yaml`: a table name, and a file or glob in the project."""

    @property
    def table(self) -> str: ...

    @property
    def path(self) -> str | Path | None: ...

    @property
    def url(self) -> str | None: ...

    @property
    def format(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class SourceView:
    """One source. `path` is absolute; `reachable` is the file or folder user SQL may read."""

    relation: Relation
    path: str
    reader: str
    reachable: Path
    is_glob: bool

    @property
    def query(self) -> str:
        return f"SELECT * FROM {self.reader}('{escaped(self.path)}')"  # noqa: S608 (quoted)

    def fingerprint(self) -> str:
        """Changes with the definition and with the files, so that a view is made anew just then.

        A view keeps the columns of the day it was made. Raises `ConfigurationError` DLI-001 when
        there is no file.
        """
        files = self._files()
        if not files:
            raise ConfigurationError(f"Source {self.relation}: no file at {self.path}")
        digest = hashlib.blake2b(self.query.encode(), digest_size=16)
        for file in files:
            state = file.stat()
            digest.update(f"\n{file}\0{state.st_size}\0{state.st_mtime_ns}".encode())
        return digest.hexdigest()

    def updated_at(self) -> datetime | None:
        """When the newest of its files was written."""
        written_s = [file.stat().st_mtime for file in self._files()]
        return datetime.fromtimestamp(max(written_s), UTC) if written_s else None

    def _files(self) -> list[Path]:
        if not self.is_glob:
            file = Path(self.path)
            return [file] if file.is_file() else []
        pattern = str(Path(self.path).relative_to(self.reachable))
        return sorted(file for file in self.reachable.glob(pattern) if file.is_file())


def source_views(
    definitions: Iterable[SourceDefinition], *, data_root: Path
) -> dict[tuple[str, str, str], SourceView]:
    """The sources by the key of their relation. Raises `ConfigurationError` DLI-001."""
    root = data_root.resolve()
    views: dict[tuple[str, str, str], SourceView] = {}
    for definition in definitions:
        view = _view(definition, root)
        if views.setdefault(view.relation.key, view) is not view:
            raise ConfigurationError(f"Source {definition.table} is listed twice")
    return views


def _view(definition: SourceDefinition, root: Path) -> SourceView:
    relation = Relation.parse(definition.table)
    if not all(relation):
        raise ConfigurationError(f"Source {definition.table}: a name of three parts is needed")
    if definition.path is None:
        raise ConfigurationError(
            f"Source {definition.table}: the embedded warehouse reads files only, no database URL"
        )
    path = root / definition.path
    fixed = _fixed_part(path)
    is_glob = fixed != path
    reachable = fixed.resolve()
    if not reachable.is_relative_to(root) or ".." in path.parts:
        raise ConfigurationError(f"Source {definition.table}: the path leaves the project")
    if reachable.is_relative_to(state_dir(root)):
        raise ConfigurationError(f"Source {definition.table}: the state folder holds no sources")
    if is_glob and reachable == root:
        raise ConfigurationError(
            f"Source {definition.table}: a pattern must start with a folder, as in data/*.csv"
        )
    return SourceView(
        relation=relation,
        path=str(reachable / path.relative_to(fixed)) if is_glob else str(reachable),
        reader=_READERS[_format(definition, path)],
        reachable=reachable,
        is_glob=is_glob,
    )


def _format(definition: SourceDefinition, path: Path) -> str:
    """By the name of the file unless the project says otherwise; `.csv.gz` is csv."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    guessed = next(
        (_SUFFIXES[suffix] for suffix in reversed(suffixes) if suffix in _SUFFIXES), None
    )
    chosen = definition.format or guessed
    if chosen not in _READERS:
        raise ConfigurationError(
            f"Source {definition.table}: format must be one of {', '.join(_READERS)}"
        )
    return chosen


def _fixed_part(path: Path) -> Path:
    """The path up to the first part with a wildcard."""
    parts: list[str] = []
    for part in path.parts:
        if _GLOB_MARKS & set(part):
            break
        parts.append(part)
    return Path(*parts)


def escaped(text: str) -> str:
    return text.replace("'", "''")
