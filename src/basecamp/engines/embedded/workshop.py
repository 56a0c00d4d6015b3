"""What jobs share in the worker: the project's settings and its open warehouse."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from dli.specs.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dli.warehouse.base import Warehouse

_LINGER_S = 0.5
_CONFIG_NAME = "dli.yaml"


class Workshop:
    """Keeps the warehouse open only while jobs use it, and a moment longer.

    Another process can have the file in between: DuckDB lets one process at a time write.
    """

    def __init__(self, root: Path, state_dir: Path, allowed_env: Mapping[str, str]) -> None:
        self.allowed_env = allowed_env
        self._root = root
        self._state_dir = state_dir
        self._lock = threading.Lock()
        self._project: Project | None = None
        self._version: tuple[int, int] | None = None
        self._warehouse: Warehouse | None = None
        self._users = 0
        self._idle = threading.Event()
        threading.Thread(target=self._close_when_idle, name="linger", daemon=True).start()
