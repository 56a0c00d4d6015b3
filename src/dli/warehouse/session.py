"""One line of work on the embedded warehouse: a cursor, its transaction and its stop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import duckdb

from dli.warehouse.base import Outcome, StatementInterruptedError
from dli.warehouse.failure import is_fatal, refusal
from dli.warehouse.inventory import StoredColumn, StoredTable
from dli.warehouse.planned import read_by, written_by
from dli.warehouse.relation import Relation, search_path
from dli.warehouse.semantics import division
from dli.warehouse.statement import ROW_WRITERS, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from types import TracebackType

    from dli.exceptions import ExecutionError
    from dli.warehouse.duckdb import DuckDBWarehouse
    from dli.warehouse.planned import PlannedStatement

__all__ = ["DuckDBSession"]

_Result = TypeVar("_Result")

_BATCH_ROWS: Final = 4096
_ALL_COLUMNS: Final = """
SELECT database_name, schema_name, table_name, column_name, data_type FROM duckdb_columns()
WHERE NOT internal AND database_name NOT IN ('memory', 'system', 'temp')
ORDER BY database_name, schema_name, table_name, column_index
"""
_PRESS_PAUSE_S: Final = 0.02
_START_TIMEOUT_S: Final = 1.0


class DuckDBSession:
    """See `Session`. A keyboard interrupt in the main thread stops the statement, too."""

    dialect = "duckdb"
    is_transactional = True

    def __init__(self, warehouse: DuckDBWarehouse, cursor: duckdb.DuckDBPyConnection) -> None:
        self._warehouse = warehouse
        self._cursor = cursor
        self._state = threading.Condition()
        self._is_running = False
        self._is_stopped = False
        self._has_transaction = False
        self._has_dropped = False
        self._is_closed = False
        self._divides_integers = True

    @property
    def interrupted(self) -> bool:
        return self._is_stopped

    def prepare(self, plan: Sequence[PlannedStatement]) -> None:
        reads, writes = self._named(plan)
        home = self._warehouse.home
        if _has_short_names(plan):
            self._provide((), {home})
            self._cursor.execute(search_path(home))
        self._divide_as(plan)
        self._provide(reads, writes)

    def check(self, plan: Sequence[PlannedStatement]) -> list[str]:
        reads, writes = self._named(plan)
        try:
            return self._warehouse.check(
                plan, reads, writes, real=self._cursor, on_wait=self._refuse_when_stopped
            )
        except duckdb.Error as error:
            raise self._refused(error) from error

    def begin(self) -> None:
        self._refuse_when_stopped()
        self._cursor.execute("BEGIN TRANSACTION")
        self._has_transaction = True

    def commit(self) -> None:
        self._refuse_when_stopped()
        try:
            self._cursor.execute("COMMIT")
        except duckdb.Error as error:
            raise self._refused(error) from error
        self._has_transaction = False
        self._note_drops()

    def rollback(self) -> None:
        if not self._has_transaction:
            return
        self._has_transaction = False
        try:
            self._cursor.execute("ROLLBACK")
        except duckdb.TransactionException:
            pass  # a failed commit has already undone it
        except duckdb.Error as error:
            raise self._refused(error) from error
        self._note_drops()

    def execute(self, sql: str, *, max_rows: int | None = None) -> Outcome:
        try:
            return self._stoppable(lambda: self._execute(sql, max_rows))
        except duckdb.Error as error:
            raise self._refused(error) from error
        finally:
            if not self._has_transaction:
                self._note_drops()

    def tables(self) -> list[StoredTable]:
        self._warehouse.provide_all(on_wait=self._refuse_when_stopped)
        columns: dict[tuple[str, str, str], list[StoredColumn]] = {}
        for catalog, schema, table, name, kind in self.execute(_ALL_COLUMNS).rows:
            columns.setdefault((catalog, schema, table), []).append(StoredColumn(name, kind))
        return [
            StoredTable(*name, tuple(found), self._warehouse.source_updated_at(Relation(*name)))
            for name, found in columns.items()
        ]

    def interrupt(self) -> None:
        with self._state:
            self._is_stopped = True
            if not self._is_running:
                return
        threading.Thread(target=self._press, name="dli-interrupt", daemon=True).start()

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self.rollback()
            self._cursor.close()
        finally:
            self._warehouse.session_closed()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _execute(self, sql: str, max_rows: int | None) -> Outcome:
        self._refuse_when_stopped()
        statement = parsed(self._cursor, sql)
        kind = statement.type.name
        self._has_dropped = self._has_dropped or kind == "DROP"
        result = self._cursor.execute(statement)
        columns = [column[0] for column in result.description or []]
        rows, count = _fetched(result, max_rows)
        if kind == "SELECT":
            return Outcome(None, columns, rows, count)
        if kind in ROW_WRITERS and columns != ["Count"]:
            return Outcome(count, columns, rows, count)  # INSERT ... RETURNING
        is_counted = columns == ["Count"] and bool(rows)
        return Outcome(int(rows[0][0]) if is_counted else None, [], [])

    def _stoppable(self, work: Callable[[], _Result]) -> _Result:
        with self._state:
            self._refuse_when_stopped()
            self._is_running = True
        try:
            if threading.current_thread() is threading.main_thread():
                return _beside(work, self.interrupt)
            return work()
        finally:
            with self._state:
                self._is_running = False
                self._state.notify_all()

    def _press(self) -> None:
        """An interrupt that comes before the engine has begun is lost, so press until it ends."""
        with self._state:
            while self._is_running:
                self._cursor.interrupt()
                self._state.wait(_PRESS_PAUSE_S)

    def _refuse_when_stopped(self) -> None:
        if self._is_stopped:
            raise StatementInterruptedError("The statement was stopped before it started")

    def _refused(self, error: duckdb.Error) -> ExecutionError:
        if is_fatal(error):
            self._warehouse.engine_broke()
        return refusal(error, hides_values=self._warehouse.hides_values)

    def _note_drops(self) -> None:
        if self._has_dropped:
            self._has_dropped = False
            self._warehouse.content_dropped()

    def _divide_as(self, plan: Sequence[PlannedStatement]) -> None:
        of_integers = all(planned.divides_integers for planned in plan)
        if of_integers != self._divides_integers:
            self._cursor.execute(division(of_integers=of_integers))
            self._divides_integers = of_integers

    def _named(self, plan: Sequence[PlannedStatement]) -> tuple[set[Relation], set[Relation]]:
        """What is read and what is written, in three parts."""
        home = self._warehouse.home
        reads, writes = (
            {Relation.parse(name).within(home.catalog, home.schema) for name in names}
            for names in (read_by(plan), written_by(plan))
        )
        return reads, writes

    def _provide(self, reads: Collection[Relation], writes: Collection[Relation]) -> None:
        self._warehouse.provide(reads, writes, on_wait=self._refuse_when_stopped)


def _has_short_names(plan: Sequence[PlannedStatement]) -> bool:
    names = read_by(plan) | written_by(plan)
    return not all(relation.catalog and relation.schema for relation in map(Relation.parse, names))


def _fetched(
    result: duckdb.DuckDBPyConnection, max_rows: int | None
) -> tuple[list[tuple[Any, ...]], int]:
    """The first rows and the number of all; the others are only counted, batch by batch."""
    if max_rows is None:
        rows: list[tuple[Any, ...]] = result.fetchall()
        return rows, len(rows)
    rows = result.fetchmany(max_rows)
    count = len(rows)
    while batch := result.fetchmany(_BATCH_ROWS):
        count += len(batch)
    return rows, count


def _beside(work: Callable[[], _Result], interrupt: Callable[[], None]) -> _Result:
    """Run `work` in a thread, for signals reach Python only while the main thread is not in C."""
    outcome: list[_Result] = []
    failure: list[BaseException] = []
    ended = threading.Event()

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001 (raised again below, in the main thread)
            failure.append(error)
        finally:
            ended.set()

    thread = threading.Thread(target=run, name="dli-statement", daemon=True)
    try:
        thread.start()
        ended.wait()
    except KeyboardInterrupt:
        interrupt()
        # It may have come so early that the thread never starts; then there is no end to wait for.
        ended.wait(None if thread.ident is not None else _START_TIMEOUT_S)
        raise
    if failure:
        raise failure[0]
    return outcome[0]
