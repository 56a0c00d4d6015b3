"""The answers of `CatalogAPI` in MOCK mode, from the sample tables of the mock client."""

from __future__ import annotations

from dli.client.fake.catalog import SAMPLE_TABLES, search_tables, table_info
from dli.exceptions import (
    CatalogTableNotFoundError,
    InvalidIdentifierError,
    UnsupportedEngineError,
)
from dli.models.catalog import TableDetail, TableInfo
from dli.models.common import CatalogListResult, CatalogSearchResult, TableDetailResult

__all__ = ["get", "list_tables", "search"]

_ENGINES = ["bigquery", "trino", "hive"]


def list_tables(identifier: str | None, *, limit: int) -> CatalogListResult:
    engine, parts = _split(identifier)
    found = [
        _info(table)
        for table in SAMPLE_TABLES.values()
        if str(table["name"]).split(".")[: len(parts)] == parts
        and engine in (None, table["engine"])
    ]
    return CatalogListResult(
        tables=found[:limit], total_count=len(found), has_more=len(found) > limit
    )


def get(table: str) -> TableDetailResult:
    engine, parts = _split(table)
    found = SAMPLE_TABLES.get(".".join(parts))
    if found is None or engine not in (None, found["engine"]):
        message = f"Table '{table}' not found in catalog"
        raise CatalogTableNotFoundError(message, table_ref=table)
    hidden = {**found, "sample_data": None}
    return TableDetailResult(table=TableDetail.model_validate(hidden))


def search(pattern: str, *, limit: int) -> CatalogSearchResult:
    found = [_info(table) for table in search_tables(pattern)]
    return CatalogSearchResult(tables=found[:limit], total_matches=len(found), keyword=pattern)


def _split(identifier: str | None) -> tuple[str | None, list[str]]:
    """The engine, when four parts name one, and the parts of the name."""
    if identifier is None:
        return None, []
    parts = identifier.split(".")
    if not all(parts) or len(parts) > 4:
        message = f"Invalid identifier format: '{identifier}'"
        raise InvalidIdentifierError(message, identifier=identifier)
    if len(parts) < 4:
        return None, parts
    engine, *rest = parts
    if engine not in _ENGINES:
        message = f"Engine '{engine}' not supported"
        raise UnsupportedEngineError(message, engine=engine, supported=list(_ENGINES))
    return engine, rest


def _info(table: dict[str, object]) -> TableInfo:
    return TableInfo.model_validate(table_info(table))
