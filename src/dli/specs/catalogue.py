"""The specs of a project as found on disk: usable ones by name, and why others are left out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple, Protocol

from dli.exceptions import DLIValidationError, ErrorCode
from dli.models.dataset import DatasetSpec
from dli.specs.discovery import Boundary, label_of, spec_files
from dli.specs.document import read_document
from dli.specs.parser import SpecFile, parse_spec
from dli.specs.project_file import ProjectFile
from dli.specs.refusal import refused

__all__ = ["Catalogue", "Entry", "Known", "Problem", "read_catalogue"]


class Problem(NamedTuple):
    """One reason why a file is left out; `path` is relative to the project."""

    path: str
    line: int | None
    code: ErrorCode
    message: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.message}"


class Known(Protocol):
    """What a spec file says of itself; `kind` is its type, `needs` its `depends_on`."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def needs(self) -> Sequence[str]: ...


@dataclass
class Entry:
    """A usable spec file; when what it says is known, it is read only when more is asked for."""

    label: str
    name: str
    kind: str
    needs: Sequence[str]
    read: Callable[[], SpecFile]

    @cached_property
    def file(self) -> SpecFile:
        """Raises: DLIValidationError for a file that has changed meanwhile."""
        return self.read()

    @property
    def sql_files(self) -> list[str]:
        """As the spec names them, relative to its own file."""
        spec = self.file.spec
        files = [spec.query_file]
        if isinstance(spec, DatasetSpec):
            files += [one.file for one in (*spec.pre_statements, *spec.post_statements)]
        return [file for file in files if file is not None]


@dataclass
class Catalogue:
    """`entries` are usable; `broken` has, for each name that is not, the error of its file."""

    entries: dict[str, Entry] = field(default_factory=dict)
    broken: dict[str, DLIValidationError] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def leave_out(self, label: str, error: DLIValidationError, name: str) -> None:
        """Note why a file is not used."""
        for text in error.errors:
            place, _, message = text.partition(": ")
            line = place.removeprefix(f"{label}:")
            self.problems.append(
                Problem(label, int(line) if line.isdecimal() else None, error.code, message)
            )
        self.broken.setdefault(name, error)


def read_catalogue(root: Path, config: ProjectFile, known: Mapping[str, Known]) -> Catalogue:
    """Every spec file below the directories of `config`; `root` is a resolved path.

    Files whose label is in `known` are usable and are not read yet.
    Raises: ConfigurationError DLI-001 for a directory outside the project.
    """
    catalogue = Catalogue()
    by_name: dict[str, list[Entry]] = {}
    defaults = config.defaults.model_dump()
    boundary = Boundary(root)
    for path in spec_files(root, config.discovery.places):
        label = label_of(path, root)
        if not boundary.holds(path):
            error = refused(f"{label}: the link leads out of the project")
            catalogue.leave_out(label, error, _name_of(path))
            continue
        read = partial(
            parse_spec,
            path,
            label=label,
            root=root,
            sql_patterns=config.discovery.sql_patterns,
            defaults=defaults,
        )
        try:
            entry = _entry(label, known.get(label), read)
            by_name.setdefault(entry.name, []).append(entry)
        except DLIValidationError as error:
            catalogue.leave_out(label, error, _name_in(path) or _name_of(path))
    for name, entries in by_name.items():
        if len(entries) == 1:
            catalogue.entries[name] = entries[0]
        else:
            _leave_out_rivals(catalogue, name, entries)
    return catalogue


def _entry(label: str, known: Known | None, read: Callable[[], SpecFile]) -> Entry:
    if known is not None:
        return Entry(label, known.name, known.kind, known.needs, read)
    file = read()
    spec = file.spec
    return Entry(label, spec.name, spec.type.value, spec.depends_on, lambda: file)


def _leave_out_rivals(catalogue: Catalogue, name: str, entries: list[Entry]) -> None:
    places = [entry.file.document.at(("name",)) for entry in entries]
    for entry, place in zip(entries, places, strict=True):
        others = ", ".join(other for other in places if other != place)
        error = refused(f"{place}: the name '{name}' is also used in {others}")
        catalogue.leave_out(entry.label, error, name)


def _name_in(path: Path) -> str | None:
    """The name that a broken spec gives itself."""
    try:
        name = read_document(path, "").data.get("name")
    except DLIValidationError:
        return None
    return str(name) if isinstance(name, str) else None


def _name_of(path: Path) -> str:
    """The name that the name of the file promises."""
    return path.stem.partition(".")[2]
