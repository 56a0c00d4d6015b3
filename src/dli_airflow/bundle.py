"""Airflow's DAG bundle on the spec store."""

from __future__ import annotations

import gc
import logging
import time
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.dag_processing.bundles.base import BaseDagBundle

from dli.exceptions import DLIError
from dli_airflow.shard import SENTINEL

if TYPE_CHECKING:
    from pathlib import Path

    from dli.specs.published import PublishedSpecs
    from dli_airflow.mirror import Mirror

__all__ = ["SpecBundle"]

_log = logging.getLogger(__name__)
_ASKED = "asked"  # its time of change is when the store was asked last
_SHARDS = 16
_COLLECT_AFTER = 50_000


class SpecBundle(BaseDagBundle):
    """The effective specs of the store at `store_url` as DAG files in a local folder.

    `shards` is how many files share the DAGs. It should stay as it is once there are runs: a task
    looks for its DAG in the file where its run began.
    """

    supports_versioning = False

    def __init__(self, *, store_url: str, shards: int = _SHARDS, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._store_url = store_url
        self._shards = shards
        self._mirror: Mirror | None = None
        self._specs: PublishedSpecs | None = None

    @property
    def path(self) -> Path:
        return self.base_dir / "dags"

    def get_current_version(self) -> None:
        return None

    def initialize(self) -> None:
        """Bring the folder up to date unless another process just has; each task asks for this.

        Where the store cannot be reached the last good copy serves.
        """
        with self.lock():
            if self._age_s() > self.refresh_interval:
                try:
                    self._update()
                    gc.freeze()  # what has been read stays
                except (DLIError, OSError) as exc:
                    if not (self.path / SENTINEL).exists():
                        raise
                    _log.warning("The spec store cannot be read, using the last copy: %s", exc)
        super().initialize()

    def refresh(self) -> None:
        with self.lock():
            self._update()

    def _age_s(self) -> float:
        try:
            return time.time() - (self.path / _ASKED).stat().st_mtime
        except FileNotFoundError:
            return float("inf")

    def _update(self) -> None:
        from dli.specs.published import open_published  # Airflow's other processes need no store
        from dli_airflow.mirror import Mirror

        import_module("dli_airflow.loader")  # the processes that need it are forked from this one
        # At Python's threshold the collector would take a fifth of a start with thousands of DAGs.
        gc.set_threshold(_COLLECT_AFTER, *gc.get_threshold()[1:])
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / _ASKED).write_bytes(b"")
        self._mirror = self._mirror or Mirror(self.path, self._shards)
        self._specs = self._specs or open_published(self._store_url)
        self._mirror.update(self._specs, datetime.now(UTC))
