"""The catalog of a project's own warehouse: what is stored, and what its specs say about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dli.exceptions import CatalogTableNotFoundError
from dli.models.catalog import (
    ColumnInfo,
    ImpactSummary,
    OwnershipInfo,
    QualityInfo,
    QualityTestResult,
    TableDetail,
    TableInfo,
)
from dli.models.cell import json_value
from dli.warehouse.verdict import Verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dli.api.engine import LocalEngine
    from dli.models.dataset import DatasetSpec
    from dli.specs.project import Project
    from dli.warehouse.base import Session
    from dli.warehouse.inventory import StoredTable
    from dli.warehouse.reader import Reader

__all__ = ["Inventory"]

ENGINE = "duckdb"
_SAMPLE_ROWS = 10
_TIMEOUT_S = 300.0

Result = TypeVar("Result")


class Inventory:
    """Methods raise ExecutionError (401-403) when the warehouse cannot be had."""

    def __init__(self, project: Project, engine: LocalEngine) -> None:
        self._project = project
        self._engine = engine
        self._datasets = project.datasets()

    def tables(
        self, wanted: Callable[[StoredTable], bool], limit: int
    ) -> tuple[list[TableInfo], int]:
        """The first tables by name with their row counts, and how many there are in all."""

        def read(session: Session) -> tuple[list[TableInfo], int]:
            found = [table for table in session.tables() if wanted(table)]
            return [self._info(session, table) for table in found[:limit]], len(found)

        return self._read(read)

    def detail(self, name: str, *, with_sample: bool) -> TableDetail:
        """Everything about one table. Raises: CatalogTableNotFoundError (702)."""

        def read(session: Session) -> TableDetail:
            stored = {table.name.lower(): table for table in session.tables()}
            table = stored.get(name.lower())
            if table is None:
                message = f"Table '{name}' not found in catalog"
                raise CatalogTableNotFoundError(message, table_ref=name)
            return self._detail(session, table, with_sample=with_sample)

        return self._read(read)

    def mentions(self, text: str) -> Callable[[StoredTable], bool]:
        """Whether a table has the text in its name, columns, descriptions or tags."""
        word = text.lower()

        def found(table: StoredTable) -> bool:
            spec = self._datasets.get(table.name)
            texts = [table.name, *(column.name for column in table.columns)]
            if spec is not None:
                texts += [spec.description, *spec.tags]
                texts += [str(field.get("description") or "") for field in spec.schema_fields]
            return any(word in one.lower() for one in texts)

        return found

    def _read(self, read: Callable[[Session], Result]) -> Result:
        def work(reader: Reader) -> Result:
            return read(reader.session)

        return self._engine.read(work, dialect=ENGINE, timeout_s=_TIMEOUT_S)

    def _info(self, session: Session, table: StoredTable) -> TableInfo:
        counted = session.execute(f"SELECT count(*) FROM {table.sql}")  # noqa: S608 - quoted
        spec = self._datasets.get(table.name)
        return TableInfo(
            name=table.name,
            engine=ENGINE,
            owner=None if spec is None else spec.owner,
            team=None if spec is None else spec.team,
            tags=[] if spec is None else list(spec.tags),
            row_count=int(counted.rows[0][0]),
        )

    def _detail(self, session: Session, table: StoredTable, *, with_sample: bool) -> TableDetail:
        from dli.warehouse.inventory import first_rows

        spec = self._datasets.get(table.name)
        columns = self._columns(session, table, spec)
        rows = None
        if with_sample:
            hidden = [column.name for column in columns if column.is_pii]
            rows = json_value(first_rows(session, table, _SAMPLE_ROWS, hidden))
        return TableDetail(
            name=table.name,
            engine=ENGINE,
            description=None if spec is None else spec.description or None,
            tags=[] if spec is None else list(spec.tags),
            basecamp_url="",
            ownership=_ownership(spec),
            columns=columns,
            quality=self._quality(table.name),
            impact=self._impact(table.name),
            sample_data=rows,
        )

    def _columns(
        self, session: Session, table: StoredTable, spec: DatasetSpec | None
    ) -> list[ColumnInfo]:
        from dli.warehouse.inventory import column_figures

        told = {str(field.get("name")): field for field in (spec.schema_fields if spec else ())}
        _, figures = column_figures(session, table)
        return [
            ColumnInfo(
                name=column.name,
                data_type=column.data_type,
                description=told.get(column.name, {}).get("description"),
                is_pii=_is_pii(told.get(column.name, {})),
                fill_rate=figure.fill_rate,
                distinct_count=figure.distinct_count,
            )
            for column, figure in zip(table.columns, figures, strict=True)
        ]

    def _quality(self, name: str) -> QualityInfo:
        """From the newest result of each test of the table; tests that could not run failed."""
        results = Verdicts(self._project.root).latest(f"dataset:{name}")
        statuses = [one["status"] for one in results]
        counts = {status: statuses.count(status) for status in ("pass", "warn")}
        return QualityInfo(
            score=round(100 * counts["pass"] / len(statuses)) if statuses else None,
            total_tests=len(statuses),
            passed_tests=counts["pass"],
            failed_tests=len(statuses) - counts["pass"] - counts["warn"],
            warnings=counts["warn"],
            recent_tests=[
                QualityTestResult(
                    test_name=one["test_name"],
                    test_type=one["test_type"],
                    status="fail" if one["status"] == "error" else one["status"],
                    failed_rows=one["failed_rows"],
                )
                for one in results
            ],
        )

    def _impact(self, name: str) -> ImpactSummary:
        from dli.specs.dependency import project_lineage

        below = project_lineage(self._project).below(name)
        return ImpactSummary(
            total_downstream=len(below),
            tables=_names(node.name for node in below if node.type == "Table"),
            datasets=_names(node.name for node in below if node.type == "Dataset"),
            metrics=_names(node.name for node in below if node.type == "Metric"),
        )


def _ownership(spec: DatasetSpec | None) -> OwnershipInfo:
    return OwnershipInfo() if spec is None else OwnershipInfo(owner=spec.owner, team=spec.team)


def _is_pii(field: dict[str, Any]) -> bool:
    return any(field.get(key) is True for key in ("pii", "is_pii"))


def _names(found: Iterable[str]) -> list[str]:
    return sorted(found)
