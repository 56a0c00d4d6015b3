"""The catalog that a server answers from."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dli.api.reply import record_of, records_of, refusal_of, unreadable
from dli.api.server import connect
from dli.exceptions import CatalogError, CatalogTableNotFoundError, DLIError, ErrorCode
from dli.models.catalog import TableDetail, TableInfo

if TYPE_CHECKING:
    from dli.api.filter import TableFilter
    from dli.client.response import Record, ServerResponse
    from dli.models.common import ExecutionContext

__all__ = ["RemoteCatalog"]

_ALL = 1_000_000

Model = TypeVar("Model", TableDetail, TableInfo)


class RemoteCatalog:
    """Methods raise ConfigurationError (001) without a server, ServerError (501-503), and
    CatalogError: the server has no catalog (701), or the caller may not see it (704).
    """

    def __init__(self, context: ExecutionContext) -> None:
        self._context = context

    def tables(self, wanted: TableFilter, limit: int) -> tuple[list[TableInfo], int]:
        """The first tables that fit, and how many there are in all."""
        project, dataset = (*wanted.parts, None, None)[:2]
        is_narrow = wanted.engine is not None or len(wanted.parts) > 2  # the server cannot do that
        with connect(self._context) as client:
            answer = client.catalog_list(
                project=project,
                dataset=dataset,
                owner=wanted.owner,
                team=wanted.team,
                tags=list(wanted.tags) or None,
                limit=_ALL if is_narrow else limit,
            )
        listed, total = _tables(answer)
        found = [
            one
            for one in listed
            if wanted.fits(one.name, one.engine, one.owner, one.team, one.tags)
        ]
        is_whole = not is_narrow and len(found) == len(listed)
        return found[:limit], total if is_whole else len(found)

    def detail(self, table: str, *, with_sample: bool) -> TableDetail:
        """Everything about one table. Raises: CatalogTableNotFoundError (702)."""
        with connect(self._context) as client:
            answer = client.catalog_get(table, include_sample=with_sample)
        if answer.status_code == 404:
            message = f"Table '{table}' not found in catalog"
            raise CatalogTableNotFoundError(message, table_ref=table)
        _check_access(answer)
        return _read(TableDetail, record_of(answer), answer)

    def search(self, text: str, project: str | None, limit: int) -> tuple[list[TableInfo], int]:
        """The first tables that mention the text, and how many there are in all."""
        with connect(self._context) as client:
            return _tables(client.catalog_search(text, project=project, limit=limit))


def _tables(answer: ServerResponse) -> tuple[list[TableInfo], int]:
    if answer.status_code == 404:
        raise _without_catalog(answer)
    _check_access(answer)
    tables = [_read(TableInfo, record, answer) for record in records_of(answer)]
    total = (answer.meta or {}).get("total_count")
    return tables, total if isinstance(total, int) else len(tables)


def _check_access(answer: ServerResponse) -> None:
    if answer.status_code == 403:
        denied = refusal_of(answer).message
        raise CatalogError(denied, code=ErrorCode.CATALOG_ACCESS_DENIED)


def _without_catalog(answer: ServerResponse) -> DLIError:
    return CatalogError(f"The server has no catalog: {refusal_of(answer).message}")


def _read(model: type[Model], record: Record, answer: ServerResponse) -> Model:
    try:
        return model.model_validate(record)
    except ValueError as error:
        raise unreadable(answer) from error
