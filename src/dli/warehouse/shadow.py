"""Dry runs: statements are bound in a second engine on empty copies of the tables they name.

Inside the real engine even a transaction that is rolled back would get in the way of runs: a table
altered there refuses their rows, a table created there collides with theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from dli.exceptions import ConfigurationError, ExecutionError
from dli.warehouse.failure import refusal
from dli.warehouse.relation import Relation, quoted, search_path
from dli.warehouse.semantics import division
from dli.warehouse.statement import checked_kind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dli.warehouse.planned import PlannedStatement
    from dli.warehouse.source import SourceView

__all__ = ["Shadow"]

_KINDS_TO_EXPLAIN = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE_INTO"})
_DEFINITION = (
    "SELECT sql FROM duckdb_tables() "
    "WHERE lower(database_name) = ? AND lower(schema_name) = ? AND lower(table_name) = ?"
)
_COLUMNS = (
    "SELECT column_name, data_type FROM duckdb_columns() "
    "WHERE lower(database_name) = ? AND lower(schema_name) = ? AND lower(table_name) = ?"
)


class Shadow:
    """`engine` is the empty second engine, `real` the one whose tables are looked up."""

    def __init__(
        self,
        engine: duckdb.DuckDBPyConnection,
        *,
        real: duckdb.DuckDBPyConnection,
        sources: Mapping[tuple[str, str, str], SourceView],
        hides_values: bool = False,
    ) -> None:
        self._engine = engine
        self._real = real
        self._sources = sources
        self._hides_values = hides_values

    def copy(self, reads: Collection[Relation], writes: Collection[Relation]) -> None:
        """Make what exists of these names, and the schemas that a run would make."""
        relations = sorted({*reads, *writes})
        for catalog in sorted({relation.catalog.lower() for relation in relations}):
            self._engine.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {quoted(catalog)}")
        for relation in relations:
            if relation in writes:
                self._make_schema(relation)
            if relation.key in self._sources:
                self._make_source(self._sources[relation.key])
            else:
                self._make_table(relation)

    def search(self, home: Relation) -> None:
        catalog, schema = quoted(home.catalog.lower()), quoted(home.schema)
        self._engine.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {catalog}")
        self._engine.execute(f"CREATE SCHEMA IF NOT EXISTS {catalog}.{schema}")
        self._engine.execute(search_path(home))

    def check(self, plan: Sequence[PlannedStatement]) -> list[str]:
        """Problems that would not end the run; raises `ExecutionError` for the first that would."""
        warnings: list[str] = []
        of_integers = all(planned.divides_integers for planned in plan)
        self._engine.execute(division(of_integers=of_integers))
        for planned in plan:
            try:
                self._bind(planned.sql)
            except (duckdb.Error, ExecutionError) as error:
                problem = self._refusal(error) if isinstance(error, duckdb.Error) else error
                message = f"{planned.title}: {problem.message}"
                if not planned.statement.continue_on_error:
                    raise ExecutionError(message, code=problem.code, cause=error) from error
                warnings.append(message)
        return warnings

    def _refusal(self, error: duckdb.Error) -> ExecutionError:
        return refusal(error, hides_values=self._hides_values)

    def _bind(self, sql: str) -> None:
        kind = checked_kind(self._engine, sql)
        if kind in _KINDS_TO_EXPLAIN:
            self._engine.execute(f"EXPLAIN {sql}").fetchall()
        elif kind == "CREATE":
            self._create(sql)
        else:
            self._engine.execute(sql).fetchall()

    def _create(self, sql: str) -> None:
        try:
            self._engine.execute(f"{sql}\nWITH NO DATA")
        except duckdb.ParserException:  # it is no CREATE TABLE AS
            self._engine.execute(sql)

    def _make_schema(self, relation: Relation) -> None:
        schema = Relation(relation.catalog, relation.schema, "")
        self._engine.execute(f"CREATE SCHEMA IF NOT EXISTS {schema.sql}")

    def _make_source(self, view: SourceView) -> None:
        view.fingerprint()
        self._make_schema(view.relation)
        try:
            self._engine.execute(f"CREATE OR REPLACE VIEW {view.relation.sql} AS {view.query}")
        except duckdb.Error as error:
            message = f"Source {view.relation}: {self._refusal(error).message}"
            raise ConfigurationError(message) from error

    def _make_table(self, relation: Relation) -> None:
        columns = self._looked_up(_COLUMNS, relation)
        if not columns:
            return
        self._make_schema(relation)
        listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns)
        definition = self._looked_up(_DEFINITION, relation)
        if not definition:
            empty = ", ".join(f"NULL::{kind} AS {quoted(name)}" for name, kind in columns)
            self._engine.execute(f"CREATE VIEW {relation.sql} AS SELECT {empty} WHERE false")
            return
        # With its keys, which ON CONFLICT needs; the text names no catalog.
        self._engine.execute(f"USE {quoted(relation.catalog)}")
        try:
            self._engine.execute(definition[0][0])
        except duckdb.Error:  # the text needs what is not copied, such as a sequence
            self._engine.execute(f"CREATE TABLE {relation.sql} ({listed})")

    def _looked_up(self, query: str, relation: Relation) -> list[tuple[str, ...]]:
        return self._real.execute(query, list(relation.key)).fetchall()
