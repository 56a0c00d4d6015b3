"""The embedded warehouse: one DuckDB file per catalog, open only while sessions need it."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

import duckdb

from dli.config import make_private
from dli.exceptions import ConfigurationError, ErrorCode, ExecutionError
from dli.warehouse.base import DataHeldError
from dli.warehouse.failure import holder_of_lock, refusal
from dli.warehouse.instance import EngineLimits, start_instance
from dli.warehouse.relation import HOME, Relation, quoted
from dli.warehouse.session import DuckDBSession
from dli.warehouse.shadow import Shadow
from dli.warehouse.source import SourceView, escaped, source_views

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from dli.warehouse.planned import PlannedStatement
    from dli.warehouse.source import SourceDefinition

__all__ = ["DuckDBWarehouse"]

_OWN_NAMES: Final = frozenset({"memory", "system", "temp"})
_MARK: Final = "dli source "
_RETRY_PAUSE_S: Final = 0.05
_STORAGE: Final = "(STORAGE_VERSION 'v1.5.0')"
"""Files that every release this project allows can read, whichever wrote them."""


class DuckDBWarehouse:
    """Catalogs are files `<folder>/<catalog>.duckdb`, attached under their names when needed.

    The engine itself stays warm from the first session to `shutdown`; `close` only lets go of the
    files, so that another process can have them. `files` names the only catalogs there are.
    """

    def __init__(
        self,
        folder: Path,
        *,
        data_root: Path,
        sources: Iterable[SourceDefinition] = (),
        files: Mapping[str, Path] | None = None,
        home: Relation = HOME,
        limits: EngineLimits | None = None,
        lock_timeout_s: float = 2.0,
    ) -> None:
        self.sources = source_views(sources, data_root=data_root)
        self.home = home
        self.limits = limits or EngineLimits()
        self.hides_values = False  # where others than who runs the SQL read its errors
        self._folder = folder
        self._files = files
        self._lock_timeout_s = lock_timeout_s
        self._lock = threading.RLock()
        self._instance: duckdb.DuckDBPyConnection | None = None
        self._attached: set[str] = set()
        self._schemas: set[str] = set()
        self._views: dict[tuple[str, str, str], str] = {}
        self._session_count = 0
        self._is_closing = False
        self._is_broken = False
        self._is_content_known = True

    def session(self) -> DuckDBSession:
        with self._lock:
            if self._is_broken and self._session_count == 0:
                self.shutdown()
            self._is_closing = False
            cursor = self._engine().cursor()
            self._session_count += 1
        return DuckDBSession(self, cursor)

    def close(self) -> None:
        with self._lock:
            self._is_closing = True
            if self._session_count == 0:
                self._detach_all()

    def shutdown(self) -> None:
        with self._lock:
            if self._instance is not None:
                self._instance.close()
            self._instance = None
            self._is_broken = False
            self._attached.clear()
            self._schemas.clear()
            self._views.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()

    # What sessions ask for.

    def session_closed(self) -> None:
        with self._lock:
            self._session_count -= 1
            if self._session_count == 0 and self._is_closing:
                self._detach_all()

    def engine_broke(self) -> None:
        """No session can work any more; the next one after the last is closed starts anew."""
        self._is_broken = True

    def content_dropped(self) -> None:
        """A statement may have dropped schemas or views of sources: look again for them."""
        self._is_content_known = False

    def provide(
        self,
        reads: Collection[Relation],
        writes: Collection[Relation],
        *,
        on_wait: Callable[[], None],
    ) -> None:
        """Attach the catalogs, make the schemas of `writes` and the views of sources.

        All names have three parts. Raises `ExecutionError`: DLI-403 when another process holds a
        file longer than a moment, DLI-404 for a write to a source.
        """
        self._refuse_writes(writes)
        created = {relation.catalog for relation in writes}
        known = {relation.catalog for relation in reads if self._has_catalog(relation)}
        for catalog in sorted(created | known):
            self._attach(catalog, on_wait)
        with self._lock:
            self._know_content()
            for relation in writes:
                self._make_schema(relation)
            for relation in reads:
                view = self.sources.get(relation.key)
                if view is not None:
                    self._refresh(view)

    def provide_all(self, *, on_wait: Callable[[], None]) -> None:
        """Attach every catalog there is, with the views of sources; raises as `provide`.

        A source whose files are missing or cannot be read keeps nobody from the rest.
        """
        catalogs = list(self._files or ())
        if self._files is None:
            catalogs = [file.stem for file in sorted(self._folder.glob("*.duckdb"))]
        self.provide({Relation(name, "main", "") for name in catalogs}, (), on_wait=on_wait)
        for view in self.sources.values():
            with suppress(ConfigurationError):
                self.provide({view.relation}, (), on_wait=on_wait)

    def source_updated_at(self, relation: Relation) -> datetime | None:
        """When the files of this source were written; `None` for what is no source."""
        view = self.sources.get(relation.key)
        return None if view is None else view.updated_at()

    def check(
        self,
        plan: Sequence[PlannedStatement],
        reads: Collection[Relation],
        writes: Collection[Relation],
        *,
        real: duckdb.DuckDBPyConnection,
        on_wait: Callable[[], None],
    ) -> list[str]:
        """Bind the statements on empty copies; see `Session.check`."""
        self._refuse_writes(writes)
        for catalog in sorted({relation.catalog for relation in {*reads, *writes}}):
            if catalog.lower() not in _OWN_NAMES and self._file(catalog).exists():
                self._attach(catalog, on_wait)
        engine = self._start(EngineLimits(memory="512MB", threads=1))
        try:
            shadow = Shadow(engine, real=real, sources=self.sources, hides_values=self.hides_values)
            shadow.copy(reads, writes)
            shadow.search(self.home)
            return shadow.check(plan)
        finally:
            engine.close()

    def _refuse_writes(self, writes: Collection[Relation]) -> None:
        for relation in writes:
            if relation.key in self.sources:
                raise ExecutionError(
                    f"{relation} is a source and can only be read",
                    code=ErrorCode.EXECUTION_PERMISSION,
                )
        if len({relation.catalog.lower() for relation in writes}) > 1:
            raise ExecutionError(
                "The statements of one run may write to one catalog only, for they are one "
                f"transaction: {', '.join(sorted(str(relation) for relation in writes))}",
                code=ErrorCode.EXECUTION_QUERY,
            )

    def _has_catalog(self, relation: Relation) -> bool:
        """Whether reading `relation` can find anything: its catalog is a file, or of a source."""
        catalog = relation.catalog.lower()
        if catalog in _OWN_NAMES:
            return False
        return any(key[0] == catalog for key in self.sources) or self._file(catalog).exists()

    # The files.

    def _engine(self) -> duckdb.DuckDBPyConnection:
        if self._instance is None:
            self._instance = self._start(self.limits)
        return self._instance

    def _start(self, limits: EngineLimits) -> duckdb.DuckDBPyConnection:
        files = list((self._files or {}).values())
        logs = [file.with_name(f"{file.name}.wal") for file in files]
        try:
            make_private(self._folder)
            return start_instance(
                limits=limits,
                spill_dir=self._folder / ".spill",
                reachable=[
                    *(files + logs or [self._folder.resolve()]),
                    *sorted({view.reachable for view in self.sources.values()}),
                ],
            )
        except duckdb.Error as error:
            raise ConfigurationError(f"The engine refuses its limits: {error}") from error
        except OSError as error:
            raise ExecutionError(
                f"The folder of the warehouse cannot be used: {error}",
                code=ErrorCode.CONNECTION_FAILED,
                cause=error,
            ) from error

    def _file(self, catalog: str) -> Path:
        if self._files is None:
            return self._folder.resolve() / f"{catalog.lower()}.duckdb"
        for name, file in self._files.items():
            if name.lower() == catalog.lower():
                return file
        raise ExecutionError(
            f"There is no catalog {catalog} on this warehouse: its connection string names "
            f"{', '.join(sorted(self._files))}",
            code=ErrorCode.EXECUTION_QUERY,
        )

    def _attach(self, catalog: str, on_wait: Callable[[], None]) -> None:
        name = catalog.lower()
        if name in _OWN_NAMES:
            raise ExecutionError(
                f"The engine keeps the catalog name {catalog} to itself; choose another",
                code=ErrorCode.EXECUTION_QUERY,
            )
        deadline = time.monotonic() + self._lock_timeout_s
        while True:
            try:
                with self._lock:
                    if name not in self._attached:
                        self._attach_file(name)
                return
            except duckdb.Error as error:
                holder = holder_of_lock(error)
                if holder is None:
                    raise self._unreachable(name, str(refusal(error).message), error) from error
                if time.monotonic() >= deadline:
                    raise self._held(name, holder, error) from error
            on_wait()
            time.sleep(_RETRY_PAUSE_S)

    def _attach_file(self, name: str) -> None:
        file = self._file(name)
        options = "" if file.exists() else _STORAGE
        self._engine().execute(
            f"ATTACH IF NOT EXISTS '{escaped(str(file))}' AS {quoted(name)} {options}"
        )
        self._attached.add(name)
        self._adopt_views(name)

    def _held(self, name: str, holder: str, cause: duckdb.Error) -> ExecutionError:
        return DataHeldError(
            f"The file of catalog {name} is open in {holder}. If that is a Basecamp, it lets go "
            "when its runs end, which `dli workflow stop` can bring about; close any other "
            "program. Then try again",
            code=ErrorCode.CONNECTION_FAILED,
            cause=cause,
        )

    def _unreachable(self, name: str, reason: str, cause: duckdb.Error) -> ExecutionError:
        return ExecutionError(
            f"The file of catalog {name} cannot be opened: {reason}",
            code=ErrorCode.CONNECTION_FAILED,
            cause=cause,
        )

    def _detach_all(self) -> None:
        for name in list(self._attached):
            # Writes the log into the file and releases its lock.
            self._run(f"DETACH {quoted(name)}")
            self._attached.remove(name)
        self._schemas.clear()
        self._views.clear()

    # The schemas, and the views of sources.

    def _make_schema(self, of: Relation) -> None:
        schema = Relation(of.catalog, of.schema, "").sql
        if schema not in self._schemas:
            self._run(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            self._schemas.add(schema)

    def _know_content(self) -> None:
        if not self._is_content_known:
            self._is_content_known = True
            self._schemas.clear()
            self._views.clear()
            for catalog in self._attached:
                self._adopt_views(catalog)

    def _adopt_views(self, catalog: str) -> None:
        """Trust the views of earlier times that are marked with what they were made from."""
        rows = self._run(
            "SELECT schema_name, view_name, comment FROM duckdb_views() "
            "WHERE database_name = ? AND starts_with(comment, ?)",
            [catalog, _MARK],
        )
        for schema, table, comment in rows:
            relation = Relation(catalog, schema, table)
            if relation.key in self.sources:
                self._views[relation.key] = comment.removeprefix(_MARK)
            else:
                self._run(f"DROP VIEW IF EXISTS {relation.sql}")

    def _refresh(self, view: SourceView) -> None:
        fingerprint = view.fingerprint()
        name = view.relation
        if self._views.get(name.key) == fingerprint:
            return
        self._make_schema(name)
        try:
            self._run(f"CREATE OR REPLACE VIEW {name.sql} AS {view.query}")
        except ExecutionError as error:
            raise ConfigurationError(f"Source {name}: {error.message}") from error
        self._run(f"COMMENT ON VIEW {name.sql} IS '{_MARK}{fingerprint}'")
        self._views[name.key] = fingerprint

    def _run(self, sql: str, values: Sequence[str] = ()) -> list[tuple[str, ...]]:
        try:
            return self._engine().execute(sql, values).fetchall()
        except duckdb.Error as error:
            raise refusal(error, hides_values=self.hides_values) from error
