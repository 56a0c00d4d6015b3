"""The transpile rules of a project, read again only after a change in what they come from."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dli.api.project import find_root, open_project
from dli.config import PROJECT_FILE, settings_files
from dli.expansion import variables_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dli.models.common import ExecutionContext
    from dli.specs.substitution import Rules

__all__ = ["ProjectRules", "project_rules"]

_CLOCK_STEP_NS = 2_000_000_000
"""The coarsest clock of a file system: a file may change within it and look the same."""

_ALWAYS = ("DLI_CONFIG_FILE", "DLI_ENV", "HOME")


class ProjectRules:
    """Of one context; what files and variables look like says whether they have changed."""

    def __init__(self, context: ExecutionContext) -> None:
        self._context = context
        self._rules: Rules | None = None
        self._look: _Look | None = None

    def read(self) -> Rules:
        """As `project_rules`. Raises: ConfigurationError (001-003)."""
        path, look = self._context.project_path, self._look
        if self._rules is None or look is None or look.path is not path or look.has_changed():
            look = None if path is None else _Look.at(path)
            self._rules = project_rules(self._context)
            self._look = None if look is None or look.has_changed() else look
        return self._rules


class _Look:
    """What the files and variables of the rules look like; asked for every SQL, so it is short."""

    def __init__(self, path: Path, files: Sequence[Path]) -> None:
        self.path = path
        self._there = {str(file): file.stat() for file in files if file.exists()}
        self._missing = [str(file) for file in files if str(file) not in self._there]
        texts = [Path(file).read_text(encoding="utf-8", errors="replace") for file in self._there]
        names = {*_ALWAYS, *(name for text in texts for name in variables_in(text))}
        self._values = {name: os.environ.get(name) for name in names}

    @classmethod
    def at(cls, path: Path) -> _Look | None:
        """None where a glance is not enough to tell."""
        if os.environ.get("DLI_CONFIG_FILE") or not (path / PROJECT_FILE).is_file():
            return None
        look = cls(path, settings_files(path, os.environ))
        newest_ns = max(status.st_mtime_ns for status in look._there.values())
        return None if newest_ns > time.time_ns() - _CLOCK_STEP_NS else look

    def has_changed(self) -> bool:
        for name, value in self._values.items():
            if os.environ.get(name) != value:
                return True
        for file in self._missing:
            if os.access(file, os.F_OK):
                return True
        return any(_is_other(file, before) for file, before in self._there.items())


def _is_other(file: str, before: os.stat_result) -> bool:
    try:
        now = os.stat(file)  # noqa: PTH116 - the quickest
    except OSError:
        return True
    return (now.st_mtime_ns, now.st_size, now.st_ino) != (
        before.st_mtime_ns,
        before.st_size,
        before.st_ino,
    )


def project_rules(context: ExecutionContext) -> Rules:
    """The transpile rules and metrics of the project; none outside of a project.

    Raises: ConfigurationError (001-003).
    """
    from dli.specs.substitution import Rules

    if context.project_path is None and find_root(context) is None:
        return Rules()
    section = open_project(context).config.transpile
    return Rules(rules=section.rules, metrics=section.metrics)
