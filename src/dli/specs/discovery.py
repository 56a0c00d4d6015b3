"""Where the spec files of a project lie: found by folder and pattern, links are not followed."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from dli.exceptions import ConfigurationError

__all__ = ["Boundary", "Places", "label_of", "matching_files", "quality_files", "spec_files"]

_QUALITY = "quality.*.yaml"


@dataclass(frozen=True)
class Places:
    """Folders relative to the project and patterns of file names; a metric may lie in either."""

    datasets_dir: str
    metrics_dir: str
    quality_dir: str
    dataset_patterns: list[str]
    metric_patterns: list[str]


def spec_files(root: Path, places: Places) -> list[Path]:
    """Every file that should hold a spec, in the order of paths.

    Raises: ConfigurationError DLI-001 for a directory outside the project.
    """
    metrics = places.metric_patterns
    datasets = matching_files(root, places.datasets_dir, [*places.dataset_patterns, *metrics])
    return sorted({*datasets, *matching_files(root, places.metrics_dir, metrics)})


def quality_files(root: Path, places: Places) -> list[Path]:
    """Every file that should hold quality tests, in the order of paths. Raises: as `spec_files`."""
    directories = (places.quality_dir, places.datasets_dir, places.metrics_dir)
    return sorted({path for at in directories for path in matching_files(root, at, [_QUALITY])})


def matching_files(root: Path, directory: str, patterns: Iterable[str]) -> Iterator[Path]:
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


def label_of(path: Path, root: Path) -> str:
    """How messages name a file: relative to the project, printable."""
    return path.relative_to(root).as_posix().encode(errors="replace").decode()


class Boundary:
    """Whether files lie inside of the project when links are followed; `root` is resolved."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[str, bool] = {}

    def holds(self, path: Path) -> bool:
        """Raises: OSError, RuntimeError for links that go round in a circle."""
        if path.is_symlink():
            return path.resolve().is_relative_to(self._root)
        folder = os.path.dirname(path)  # noqa: PTH120 - a text is a quick key
        if folder not in self._folders:
            self._folders[folder] = Path(folder).resolve().is_relative_to(self._root)
        return self._folders[folder]
