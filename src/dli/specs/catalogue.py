"""The specs of a project as found on disk: usable ones by name, and why others are left out."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from dli.exceptions import ConfigurationError, DLIValidationError, ErrorCode
from dli.specs.document import read_document
from dli.specs.parser import SpecFile, parse_spec
from dli.specs.project_file import Discovery, ProjectFile
from dli.specs.refusal import refused

__all__ = ["Catalogue", "Problem", "label_of", "matching_files", "read_catalogue"]


class Problem(NamedTuple):
    """One reason why a file is left out; `path` is relative to the project."""

    path: str
    line: int | None
    code: ErrorCode
    message: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.message}"


@dataclass
class Catalogue:
    """`files` are usable; `broken` has, for each name that is not, the error of its file."""

    files: dict[str, SpecFile] = field(default_factory=dict)
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


def read_catalogue(root: Path, config: ProjectFile) -> Catalogue:
    """Read every spec file below the directories of `config`; `root` is a resolved path.

    Raises: ConfigurationError DLI-001 for a directory outside the project.
    """
    catalogue = Catalogue()
    by_name: dict[str, list[SpecFile]] = {}
    defaults = config.defaults.model_dump()
    for path in sorted(set(_spec_paths(root, config.discovery))):
        label = label_of(path, root)
        if not path.resolve().is_relative_to(root):
            error = refused(f"{label}: the link leads out of the project")
            catalogue.leave_out(label, error, _name_of(path))
            continue
        try:
            file = parse_spec(
                path,
                label=label,
                root=root,
                sql_patterns=config.discovery.sql_patterns,
                defaults=defaults,
            )
            by_name.setdefault(file.spec.name, []).append(file)
        except DLIValidationError as error:
            catalogue.leave_out(label, error, _name_in(path) or _name_of(path))
    for name, files in by_name.items():
        if len(files) == 1:
            catalogue.files[name] = files[0]
        else:
            _leave_out_rivals(catalogue, name, files)
    return catalogue


def _leave_out_rivals(catalogue: Catalogue, name: str, files: list[SpecFile]) -> None:
    places = [file.document.at(("name",)) for file in files]
    for file, place in zip(files, places, strict=True):
        others = ", ".join(other for other in places if other != place)
        error = refused(f"{place}: the name '{name}' is also used in {others}")
        catalogue.leave_out(file.document.label, error, name)


def label_of(path: Path, root: Path) -> str:
    """How messages name a file: relative to the project, printable."""
    return path.relative_to(root).as_posix().encode(errors="replace").decode()


def _spec_paths(root: Path, discovery: Discovery) -> Iterator[Path]:
    metrics = discovery.metric_patterns
    yield from matching_files(root, discovery.datasets_dir, [*discovery.dataset_patterns, *metrics])
    yield from matching_files(root, discovery.metrics_dir, metrics)


def matching_files(root: Path, directory: str, patterns: list[str]) -> Iterator[Path]:
    """Files below a directory of the project.

    Raises: ConfigurationError DLI-001 for a directory outside the project.
    """
    start = root / directory
    if not start.resolve().is_relative_to(root):
        raise ConfigurationError(f"discovery: the directory '{directory}' is outside the project")
    for folder, folders, names in os.walk(start):  # does not follow links
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                yield Path(folder, name)


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
