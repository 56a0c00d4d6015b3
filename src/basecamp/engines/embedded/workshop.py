"""What jobs share in the worker: the project's settings, parsed specs and the open warehouse."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from dli.specs.project import Project

from dli.models.dataset import DatasetSpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dli.warehouse.duckdb import DuckDBWarehouse


_LINGER_S = 0.5


class Workshop:
    """Keeps the warehouse open only while jobs use it, and a moment longer."""

    def __init__(self, project: Path, state_dir: Path) -> None:
        self._root = project
        self._state_dir = state_dir
        self.allowed_env: Mapping[str, str] = {}
        self._specs: dict[str, DatasetSpec] = {}
        self._changed = threading.Condition()
        self._users = 0
        self._warehouse: DuckDBWarehouse | None = None
        threading.Thread(target=self._close_when_idle, daemon=True).start()

    def spec(self, content: dict[str, Any]) -> DatasetSpec:
        """The spec of a message."""
        return DatasetSpec.model_validate(content)

    def variables(self) -> Mapping[str, Any]:
        """What `var()` reads in templates."""
        return Project.open(self._root).variables
