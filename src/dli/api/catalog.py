"""`CatalogAPI`: tables, their columns and who answers for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dli.api.argument import check_minimum, check_text
from dli.api.facade import Facade, not_available
from dli.api.mock import catalog as mock
from dli.api.server import connect
from dli.exceptions import DLIError
from dli.models.common import CatalogListResult, CatalogSearchResult, TableDetailResult
from dli.models.state import ResultStatus

if TYPE_CHECKING:
    from dli.models.common import ExecutionContext

__all__ = ["CatalogAPI"]

_FAILURE = ResultStatus.FAILURE


class CatalogAPI(Facade):
    """The server's catalog. What goes wrong is a result with status FAILURE, never an exception.

    Only arguments that cannot be meant raise: DLIValidationError (204).
    """

    def __init__(self, context: ExecutionContext | None = None) -> None:
        super().__init__(context)

    def list_tables(self, identifier: str | None = None, *, limit: int = 100) -> CatalogListResult:
        """All tables, or those of `project`, `project.dataset`, one table, or with an engine first.

        Engines: `bigquery`, `trino`, `hive`.
        """
        check_minimum(1, limit=limit)
        try:
            if self._is_mock:
                return mock.list_tables(identifier, limit=limit)
            raise self._unavailable("list_tables")
        except DLIError as error:
            return CatalogListResult(status=_FAILURE, error_message=str(error))

    def get(self, table: str) -> TableDetailResult:
        """Everything about one table, `project.dataset.table`, with or without its engine."""
        check_text(table=table)
        try:
            if self._is_mock:
                return mock.get(table)
            raise self._unavailable("get")
        except DLIError as error:
            return TableDetailResult(status=_FAILURE, error_message=str(error))

    def search(self, pattern: str, *, limit: int = 100) -> CatalogSearchResult:
        """Tables with the text in name, columns, description or tags, in any letter case."""
        check_text(pattern=pattern)
        check_minimum(1, limit=limit)
        try:
            if self._is_mock:
                return mock.search(pattern, limit=limit)
            raise self._unavailable("search")
        except DLIError as error:
            return CatalogSearchResult(status=_FAILURE, keyword=pattern, error_message=str(error))

    def _unavailable(self, method: str) -> DLIError:
        connect(self.context).close()
        return not_available(f"CatalogAPI.{method} outside of MOCK mode")
