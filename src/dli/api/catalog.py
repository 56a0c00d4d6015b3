"""`CatalogAPI`: tables, their columns and who answers for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dli.api.argument import check_minimum, check_text
from dli.api.engine import LocalEngine
from dli.api.facade import Facade
from dli.api.inventory import ENGINE, Inventory
from dli.api.mock import catalog as mock
from dli.api.project import find_root, open_project
from dli.api.server import connect
from dli.exceptions import (
    CatalogError,
    CatalogTableNotFoundError,
    DLIError,
    ErrorCode,
    ServerError,
)
from dli.models.catalog import TableDetail, TableInfo
from dli.models.common import CatalogListResult, CatalogSearchResult, TableDetailResult
from dli.models.state import ExecutionMode, ResultStatus
from dli.specs.identifier import split_identifier

if TYPE_CHECKING:
    from dli.client.response import Record, ServerResponse
    from dli.models.common import ExecutionContext
    from dli.specs.project import Project
    from dli.warehouse.inventory import StoredTable

__all__ = ["CatalogAPI"]

_FAILURE = ResultStatus.FAILURE
_ALL = 1_000_000

Model = TypeVar("Model", TableDetail, TableInfo)


class CatalogAPI(Facade):
    """Tables of the server, or in LOCAL mode without a `server_url` those of the project.

    What goes wrong is a result with status FAILURE, never an exception. Only arguments that cannot
    be meant raise: DLIValidationError (204).
    """

    def __init__(self, context: ExecutionContext | None = None) -> None:
        super().__init__(context)
        self._opened: Project | None = None
        self._engine = LocalEngine(self._project, None)

    def list_tables(self, identifier: str | None = None, *, limit: int = 100) -> CatalogListResult:
        """All tables, or those of `project`, `project.dataset`, one table, or with an engine first.

        Engines: `bigquery`, `trino`, `hive`.
        """
        check_minimum(1, limit=limit)
        try:
            if self._is_mock:
                return mock.list_tables(identifier, limit=limit)
            tables, total = self._listed(identifier, limit)
        except DLIError as error:
            return CatalogListResult(status=_FAILURE, error_message=str(error))
        return CatalogListResult(tables=tables, total_count=total, has_more=total > len(tables))

    def get(self, table: str, *, include_sample: bool = False) -> TableDetailResult:
        """Everything about one table, `project.dataset.table`, with or without its engine.

        With `include_sample` some rows, without the values of columns that are personal.
        """
        check_text(table=table)
        try:
            if self._is_mock:
                return mock.get(table)
            engine, parts = split_identifier(table)
            name = ".".join(parts)
            if not self._is_local:
                return TableDetailResult(table=self._asked_for(table, include_sample))
            if engine not in (None, ENGINE):
                message = f"Table '{table}' not found in catalog"
                raise CatalogTableNotFoundError(message, table_ref=table)
            detail = self._inventory().detail(name, with_sample=include_sample)
        except DLIError as error:
            return TableDetailResult(status=_FAILURE, error_message=str(error))
        return TableDetailResult(table=detail)

    def search(self, pattern: str, *, limit: int = 100) -> CatalogSearchResult:
        """Tables with the text in name, columns, description or tags, in any letter case."""
        check_text(pattern=pattern)
        check_minimum(1, limit=limit)
        try:
            if self._is_mock:
                return mock.search(pattern, limit=limit)
            if self._is_local:
                inventory = self._inventory()
                tables, total = inventory.tables(inventory.mentions(pattern), limit)
            else:
                with connect(self.context) as client:
                    tables, total = _tables(client.catalog_search(pattern, limit=limit))
        except DLIError as error:
            return CatalogSearchResult(status=_FAILURE, keyword=pattern, error_message=str(error))
        return CatalogSearchResult(tables=tables, total_matches=total, keyword=pattern)

    @property
    def _is_local(self) -> bool:
        """Whether the project's own warehouse is meant: LOCAL, in a project, no server named."""
        return (
            self.context.execution_mode is ExecutionMode.LOCAL
            and self.context.server_url is None
            and find_root(self.context) is not None
        )

    def _listed(self, identifier: str | None, limit: int) -> tuple[list[TableInfo], int]:
        engine, parts = split_identifier(identifier)

        def fits(name: str) -> bool:
            return [part.lower() for part in parts] == name.lower().split(".")[: len(parts)]

        def wanted(table: StoredTable) -> bool:
            return engine in (None, ENGINE) and fits(table.name)

        if self._is_local:
            return self._inventory().tables(wanted, limit)
        project, dataset = (*parts, None, None)[:2]
        with connect(self.context) as client:
            answer = client.catalog_list(project=project, dataset=dataset, limit=_ALL)
        found = [
            info for info in _tables(answer)[0] if fits(info.name) and engine in (None, info.engine)
        ]
        return found[:limit], len(found)

    def _asked_for(self, table: str, include_sample: bool) -> TableDetail:  # noqa: FBT001
        with connect(self.context) as client:
            answer = client.catalog_get(table, include_sample=include_sample)
        if answer.status_code == 404:
            message = f"Table '{table}' not found in catalog"
            raise CatalogTableNotFoundError(message, table_ref=table)
        if not answer.success or not isinstance(answer.data, dict):
            raise _refused(answer)
        return _read(TableDetail, answer.data)

    def _inventory(self) -> Inventory:
        return Inventory(self._project(), self._engine)

    def _project(self) -> Project:
        if self._opened is None:
            self._opened = open_project(self.context)
        return self._opened


def _tables(answer: ServerResponse) -> tuple[list[TableInfo], int]:
    if not answer.success or not isinstance(answer.data, list):
        raise _refused(answer)
    total = (answer.meta or {}).get("total_count")
    tables = [_read(TableInfo, record) for record in answer.data]
    return tables, total if isinstance(total, int) else len(tables)


def _read(model: type[Model], record: Record) -> Model:
    try:
        return model.model_validate(record)
    except ValueError as error:
        raise ServerError("The server's answer cannot be read") from error


def _refused(answer: ServerResponse) -> DLIError:
    message = answer.error or "The server's answer cannot be read"
    if answer.status_code == 404:
        return CatalogError(f"The server has no catalog: {message}")
    try:
        code = ErrorCode(answer.code or ErrorCode.SERVER_ERROR)
    except ValueError:
        code = ErrorCode.SERVER_ERROR
    return ServerError(message, code, status_code=answer.status_code)
