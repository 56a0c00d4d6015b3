"""A DuckDB instance in which SQL written by users cannot reach the host."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import duckdb

from dli.config import make_private
from dli.warehouse.semantics import MACROS
from dli.warehouse.source import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["EngineLimits", "start_instance"]


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """What one process may use. Sizes as DuckDB reads them, such as `2GB`.

    Without a value: half of the machine's memory, one thread per core.
    """

    memory: str | None = None
    threads: int | None = None
    spill: str = "20GB"


_OPTIONS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,  # else SQL could read variables of this process
}


def start_instance(
    *, limits: EngineLimits, spill_dir: Path, reachable: Iterable[Path]
) -> duckdb.DuckDBPyConnection:
    """An empty instance; `ATTACH` and file readers work on `reachable` files and folders only.

    Order matters: what may be reached is fixed when external access is switched off, and nothing
    can be set once the configuration is locked. DuckDB resolves links before it compares paths.
    """
    options = dict(_OPTIONS)
    options["temp_directory"] = str(_own_spill_dir(spill_dir))
    options["max_temp_directory_size"] = limits.spill
    options["memory_limit"] = limits.memory or _half_of_memory()
    if limits.threads is not None:
        options["threads"] = limits.threads
    places = list(reachable)
    instance = duckdb.connect(":memory:", config=options)
    # Results must not depend on the machine's zone.
    instance.execute("SET GLOBAL TimeZone = 'UTC'")
    instance.execute("SET GLOBAL integer_division = true")
    instance.execute(f"SET allowed_directories = {_listed(p for p in places if p.is_dir())}")
    instance.execute(f"SET allowed_paths = {_listed(p for p in places if not p.is_dir())}")
    instance.execute("SET enable_external_access = false")
    for macro in MACROS:
        instance.execute(f"CREATE MACRO {macro}")
    # The one setting that sessions need; statements of users that set anything are refused.
    instance.execute("SET allowed_configs = ['integer_division']")
    instance.execute("SET lock_configuration = true")
    return instance


def _half_of_memory() -> str:
    size_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{size_bytes // 2**21}MiB"


def _own_spill_dir(parent: Path) -> Path:
    """One folder per process; those of processes that are gone are removed."""
    for folder in parent.glob("[0-9]*"):
        if not _is_alive(int(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)
    own = parent / str(os.getpid())
    make_private(own)
    return own


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _listed(paths: Iterable[Path]) -> str:
    return "[" + ", ".join(f"'{escaped(str(path))}'" for path in paths) + "]"
