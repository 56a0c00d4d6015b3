"""Tables as the catalog describes them: what is stored, with what specs and others tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.models.catalog import (
    ColumnInfo,
    FreshnessInfo,
    ImpactSummary,
    OwnershipInfo,
    QualityInfo,
    QualityTestResult,
    SampleQuery,
    TableDetail,
    TableInfo,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dli.models.lineage import LineageNode
    from dli.models.spec import SpecBase
    from dli.warehouse.inventory import ColumnFigures, Size, StoredTable, Survey

__all__ = [
    "ENGINE",
    "SAMPLE_ROWS",
    "is_within",
    "mentions",
    "owned_by",
    "partition_column",
    "personal_columns",
    "quality_of",
    "table_detail",
    "table_info",
]

ENGINE = "duckdb"
SAMPLE_ROWS = 10


def is_within(table: StoredTable, parts: Sequence[str]) -> bool:
    """Whether the name starts with these parts, in any letter case."""
    return table.name.lower().split(".")[: len(parts)] == [part.lower() for part in parts]


def mentions(text: str, table: StoredTable, spec: SpecBase | None) -> bool:
    """Whether name, columns, descriptions or tags of a table have the text, in any letter case."""
    texts = [table.name, *(column.name for column in table.columns)]
    if spec is not None:
        texts += [spec.description, *spec.tags]
        texts += [str(field.get("description") or "") for field in spec.schema_fields]
    word = text.lower()
    return any(word in one.lower() for one in texts)


def personal_columns(spec: SpecBase | None) -> set[str]:
    """The columns that a spec marks with `pii: true`, in lower case: the engine ignores it."""
    return {name for name, field in _declared(spec).items() if _is_personal(field)}


def partition_column(spec: SpecBase | None) -> str | None:
    """The column whose newest value tells how new the data is: `partition: true`."""
    marked = (name for name, field in _declared(spec).items() if field.get("partition") is True)
    return next(marked, None)


def owned_by(spec: SpecBase | None) -> tuple[str | None, str | None, list[str]]:
    """Owner, team and tags; nobody owns a table without a spec."""
    return (None, None, []) if spec is None else (spec.owner, spec.team, list(spec.tags))


def table_info(table: StoredTable, spec: SpecBase | None, size: Size) -> TableInfo:
    """A table in a list."""
    owner, team, tags = owned_by(spec)
    return TableInfo(
        name=table.name,
        engine=ENGINE,
        owner=owner,
        team=team,
        tags=tags,
        row_count=size.row_count,
        last_updated=table.updated_at or size.newest,
    )


def table_detail(
    table: StoredTable,
    spec: SpecBase | None,
    found: Survey,
    *,
    below: Sequence[LineageNode] = (),
    tests: Sequence[Mapping[str, Any]] = (),
    freshness: FreshnessInfo | None = None,
    queries: Sequence[SampleQuery] = (),
    url: str = "",
) -> TableDetail:
    """Everything about one table.

    `below` is what is made from it, `tests` are the newest results of its quality tests; without
    `freshness` the files or the data themselves tell how new they are.
    """
    by_itself = FreshnessInfo(last_updated=table.updated_at or found.size.newest)
    return TableDetail(
        name=table.name,
        engine=ENGINE,
        description=None if spec is None else spec.description or None,
        tags=owned_by(spec)[2],
        basecamp_url=url,
        ownership=_ownership(spec, below),
        columns=_columns(table, spec, found.figures),
        freshness=freshness or by_itself,
        quality=quality_of(tests),
        impact=_impact(below),
        sample_queries=list(queries),
        sample_data=found.rows,
    )


def quality_of(tests: Sequence[Mapping[str, Any]]) -> QualityInfo:
    """From the newest result of each test of a table; tests that could not run failed."""
    statuses = [one["status"] for one in tests]
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
            for one in tests
        ],
    )


def _columns(
    table: StoredTable, spec: SpecBase | None, figures: Sequence[ColumnFigures]
) -> list[ColumnInfo]:
    declared = _declared(spec)
    return [
        ColumnInfo(
            name=column.name,
            data_type=column.data_type,
            description=declared.get(column.name.lower(), {}).get("description"),
            is_pii=_is_personal(declared.get(column.name.lower(), {})),
            fill_rate=figure.fill_rate,
            distinct_count=figure.distinct_count,
        )
        for column, figure in zip(table.columns, figures, strict=True)
    ]


def _ownership(spec: SpecBase | None, below: Sequence[LineageNode]) -> OwnershipInfo:
    """Who uses a table are the teams of what is made from it."""
    owner, team, _ = owned_by(spec)
    teams = {node.team for node in below if node.team is not None}
    return OwnershipInfo(owner=owner, team=team, consumers=sorted(teams - {team}))


def _impact(below: Sequence[LineageNode]) -> ImpactSummary:
    return ImpactSummary(
        total_downstream=len(below),
        tables=_names(node for node in below if node.type == "Table"),
        datasets=_names(node for node in below if node.type == "Dataset"),
        metrics=_names(node for node in below if node.type == "Metric"),
    )


def _names(nodes: Iterable[LineageNode]) -> list[str]:
    return sorted(node.name for node in nodes)


def _declared(spec: SpecBase | None) -> dict[str, dict[str, Any]]:
    """What the `schema` of a spec says of each column, by its name in lower case."""
    fields = () if spec is None else spec.schema_fields
    return {str(field.get("name")).lower(): field for field in fields}


def _is_personal(field: Mapping[str, Any]) -> bool:
    return any(field.get(key) is True for key in ("pii", "is_pii"))
