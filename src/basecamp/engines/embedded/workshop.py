"""What jobs share in the worker: the project's settings and its open warehouse."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dli.config import config_file
from dli.outgoing import VARIABLE, Destinations, proxies_in
from dli.span import endpoints_in, flush
from dli.specs.project import Project
from dli.warehouse.connection import warehouse_of
from dli.warehouse.emitter import emitter_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dli.warehouse.base import Session, Warehouse
    from dli.warehouse.emitter import Emitter

_LINGER_S = 0.5
_FLUSH_S = 0.3
_LOCK_TIMEOUT_S = 10.0


class Workshop:
    """Keeps the warehouse open only while jobs use it, and a moment longer.

    In between another process can have the file: DuckDB lets one process at a time write.
    """

    def __init__(self, root: Path, allowed_env: Mapping[str, str]) -> None:
        self.allowed_env = allowed_env
        self._root = root
        self._lock = threading.Lock()
        self._users = 0
        self._used_at = 0.0
        self._is_open = False
        self._project: Project | None = None
        self._project_stamp: tuple[int, int] | None = None
        self._warehouse: Warehouse | None = None
        self._emitter: Emitter | None = None

    def project(self) -> Project:
        """The project's settings, read again when its file has changed."""
        with self._lock:
            stamp = _stamp(config_file(self._root, os.environ))
            if self._project is None or stamp != self._project_stamp:
                before, self._project = self._project, Project.open(self._root)
                self._project_stamp = stamp
                if before is None or before.config.lineage != self._project.config.lineage:
                    self._emitter = emitter_of(self._project)
                self._retire_warehouse()
            return self._project

    @property
    def destinations(self) -> Destinations:
        """Where this process may connect to: the project's target of lineage, that of spans."""
        target = "" if self._project is None else self._project.config.lineage.url or ""
        named = [target, *endpoints_in(os.environ), *proxies_in(os.environ)]
        return Destinations.named_in(named, os.environ.get(VARIABLE, ""))

    def emitter(self) -> Emitter | None:
        """Where the project wants to be told of its runs."""
        self.project()
        return self._emitter

    def close(self) -> None:
        """Before the process ends: close the warehouse unless it is in use, in this thread, for one
        that is still at it then brings the process down; let events of lineage and spans leave.
        """
        with self._lock:
            if self._users == 0:
                self._retire_warehouse()
        if self._emitter is not None:
            self._emitter.flush(_LINGER_S)
        flush(_FLUSH_S)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session on the project's warehouse for one job."""
        project = self.project()
        with self._lock:
            if self._warehouse is None:
                self._warehouse = warehouse_of(
                    project, lock_timeout_s=_LOCK_TIMEOUT_S, hides_values=True
                )
            self._users += 1
            warehouse = self._warehouse
            if not self._is_open:
                self._is_open = True
                threading.Thread(target=self._close_when_idle, name="linger", daemon=True).start()
        try:
            with warehouse.session() as session:
                yield session
        finally:
            with self._lock:
                self._users -= 1
                self._used_at = time.monotonic()

    def _retire_warehouse(self) -> None:
        if self._warehouse is not None:
            self._warehouse.close()
            self._warehouse = None

    def _close_when_idle(self) -> None:
        left_s = _LINGER_S
        while left_s > 0:
            time.sleep(left_s)
            with self._lock:
                left_s = _LINGER_S
                if self._users == 0:
                    left_s = self._used_at + _LINGER_S - time.monotonic()
                if left_s <= 0:
                    self._is_open = False
                    if self._warehouse is not None:
                        self._warehouse.close()


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size
