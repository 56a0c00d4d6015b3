"""The catalog of a project's own warehouse: what is stored, and what its specs say about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dli.exceptions import CatalogTableNotFoundError
from dli.specs.identifier import split_identifier
from dli.warehouse.catalog import (
    ENGINE,
    SAMPLE_ROWS,
    is_within,
    mentions,
    owned_by,
    partition_column,
    personal_columns,
    table_detail,
    table_info,
)
from dli.warehouse.verdict import Verdicts

if TYPE_CHECKING:
    from collections.abc import Callable

    from dli.api.engine import LocalEngine
    from dli.api.filter import TableFilter
    from dli.models.catalog import TableDetail, TableInfo
    from dli.models.dataset import DatasetSpec
    from dli.specs.project import Project
    from dli.warehouse.base import Session
    from dli.warehouse.inventory import StoredTable
    from dli.warehouse.reader import Reader

__all__ = ["Inventory"]

_TIMEOUT_S = 300.0

Result = TypeVar("Result")


class Inventory:
    """Methods raise ExecutionError (401-403) when the warehouse cannot be had."""

    def __init__(self, project: Project, engine: LocalEngine) -> None:
        self._project = project
        self._engine = engine
        self._datasets = {name.lower(): spec for name, spec in project.datasets().items()}

    def tables(self, wanted: TableFilter, limit: int) -> tuple[list[TableInfo], int]:
        """The first tables that fit, with their row counts, and how many there are in all."""

        def fits(table: StoredTable) -> bool:
            owner, team, tags = owned_by(self._spec(table))
            return wanted.fits(table.name, ENGINE, owner, team, tags)

        return self._chosen(fits, limit)

    def search(self, text: str, project: str | None, limit: int) -> tuple[list[TableInfo], int]:
        """The first tables that mention the text, and how many there are in all."""
        within = [project] if project else []
        return self._chosen(
            lambda one: is_within(one, within) and mentions(text, one, self._spec(one)), limit
        )

    def _chosen(
        self, is_wanted: Callable[[StoredTable], bool], limit: int
    ) -> tuple[list[TableInfo], int]:
        def read(session: Session) -> tuple[list[TableInfo], int]:
            found = [table for table in session.tables() if is_wanted(table)]
            return [self._info(session, table) for table in found[:limit]], len(found)

        return self._read(read)

    def detail(self, table: str, *, with_sample: bool) -> TableDetail:
        """Everything about one table. Raises: CatalogTableNotFoundError (702)."""
        engine, parts = split_identifier(table)
        name = ".".join(parts)

        def read(session: Session) -> TableDetail:
            stored = {one.name.lower(): one for one in session.tables()}
            found = stored.get(name.lower())
            if found is None or engine not in (None, ENGINE):
                message = f"Table '{table}' not found in catalog"
                raise CatalogTableNotFoundError(message, table_ref=table)
            return self._detail(session, found, with_sample=with_sample)

        return self._read(read)

    def _spec(self, table: StoredTable) -> DatasetSpec | None:
        return self._datasets.get(table.name.lower())

    def _read(self, read: Callable[[Session], Result]) -> Result:
        def work(reader: Reader) -> Result:
            return read(reader.session)

        return self._engine.read(work, dialect=ENGINE, timeout_s=_TIMEOUT_S)

    def _info(self, session: Session, table: StoredTable) -> TableInfo:
        from dli.warehouse.inventory import size_of

        spec = self._spec(table)
        return table_info(table, spec, size_of(session, table, partition_column(spec)))

    def _detail(self, session: Session, table: StoredTable, *, with_sample: bool) -> TableDetail:
        from dli.specs.dependency import project_lineage
        from dli.warehouse.inventory import survey

        spec = self._spec(table)
        name = table.name if spec is None else spec.name
        found = survey(
            session,
            table,
            partition=partition_column(spec),
            hidden=personal_columns(spec),
            row_limit=SAMPLE_ROWS if with_sample else 0,
        )
        return table_detail(
            table,
            spec,
            found,
            below=project_lineage(self._project).below(table.name),
            tests=Verdicts(self._project.root).latest(f"dataset:{name}"),
        )
