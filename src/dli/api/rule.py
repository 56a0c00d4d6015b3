"""The transpile rules of a project, read again only after a change in what they come from."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from dli.api.project import find_root, open_project
from dli.config import PROJECT_FILE, settings_files
from dli.expansion import variables_in

if TYPE_CHECKING:
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
        self._files: list[str] = []
        self._variables: list[str] = []
        self._state: object = None
        self._rules: Rules | None = None

    def read(self) -> Rules:
        """As `project_rules`. Raises: ConfigurationError (001-003)."""
        if self._rules is not None and self._state == self._state_now():
            return self._rules
        self._rules = None
        is_watched = self._watch()
        before = self._state_now()
        rules = project_rules(self._context)
        if is_watched and before == self._state_now():
            self._rules, self._state = rules, before
        return rules

    def _watch(self) -> bool:
        """Note what the rules come from; False where that cannot be told by a glance."""
        path = self._context.project_path
        if path is None or os.environ.get("DLI_CONFIG_FILE") or not (path / PROJECT_FILE).is_file():
            return False
        found = [file for file in settings_files(path, os.environ) if file.is_file()]
        self._files = [str(file) for file in settings_files(path, os.environ)]
        texts = [file.read_text(encoding="utf-8", errors="replace") for file in found]
        self._variables = sorted(
            {*_ALWAYS, *(name for text in texts for name in variables_in(text))}
        )
        newest_ns = max(file.stat().st_mtime_ns for file in found)
        return newest_ns < time.time_ns() - _CLOCK_STEP_NS

    def _state_now(self) -> object:
        files = [_look(file) for file in self._files]
        return self._context.project_path, files, [os.environ.get(v) for v in self._variables]


def _look(file: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116 - for every SQL
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def project_rules(context: ExecutionContext) -> Rules:
    """The transpile rules and metrics of the project; none outside of a project.

    Raises: ConfigurationError (001-003).
    """
    from dli.specs.substitution import Rules

    if context.project_path is None and find_root(context) is None:
        return Rules()
    section = open_project(context).config.transpile
    return Rules(rules=section.rules, metrics=section.metrics)
