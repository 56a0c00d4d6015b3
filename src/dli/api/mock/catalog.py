"""The answers of `CatalogAPI` in MOCK mode, from the sample tables of the mock client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dli.client.fake.catalog import SAMPLE_TABLES, search_tables, table_info
from dli.exceptions import CatalogTableNotFoundError
from dli.models.catalog import TableDetail, TableInfo
from dli.models.common import CatalogListResult, CatalogSearchResult, TableDetailResult
from dli.specs.identifier import split_identifier

if TYPE_CHECKING:
    from dli.api.filter import TableFilter

__all__ = ["get", "list_tables", "search"]


def list_tables(wanted: TableFilter, *, limit: int) -> CatalogListResult:
    infos = [_info(table) for table in SAMPLE_TABLES.values()]
    found = [
        info
        for info in infos
        if wanted.fits(info.name, info.engine, info.owner, info.team, info.tags)
    ]
    return CatalogListResult(
        tables=found[:limit], total_count=len(found), has_more=len(found) > limit
    )


def get(table: str, *, include_sample: bool = False) -> TableDetailResult:
    engine, parts = split_identifier(table)
    found = SAMPLE_TABLES.get(".".join(parts))
    if found is None or engine not in (None, found["engine"]):
        message = f"Table '{table}' not found in catalog"
        raise CatalogTableNotFoundError(message, table_ref=table)
    shown = found if include_sample else {**found, "sample_data": None}
    return TableDetailResult(table=TableDetail.model_validate(shown))


def search(pattern: str, *, limit: int, project: str | None = None) -> CatalogSearchResult:
    found = [_info(table) for table in search_tables(pattern, project=project)]
    return CatalogSearchResult(tables=found[:limit], total_matches=len(found), keyword=pattern)


def _info(table: dict[str, object]) -> TableInfo:
    return TableInfo.model_validate(table_info(table))
