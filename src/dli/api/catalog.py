"""`CatalogAPI`: tables, their columns and who answers for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dli.api.argument import check_minimum, check_text
from dli.api.engine import LocalEngine
from dli.api.facade import Facade
from dli.api.filter import TableFilter
from dli.api.inventory import Inventory
from dli.api.mock import catalog as mock
from dli.api.project import find_root, open_project
from dli.api.remote_catalog import RemoteCatalog
from dli.config import read_server_state
from dli.exceptions import DLIError, ErrorCode, ExecutionError
from dli.models.common import CatalogListResult, CatalogSearchResult, TableDetailResult
from dli.models.state import ExecutionMode, ResultStatus
from dli.specs.identifier import split_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dli.models.common import ExecutionContext

__all__ = ["CatalogAPI"]

_FAILURE = ResultStatus.FAILURE
_LOCK_TIMEOUT_S = 2.0
_LOCK_TIMEOUT_BESIDE_BASECAMP_S = 0.2

Result = TypeVar("Result")


class CatalogAPI(Facade):
    """Tables of the server, or in LOCAL mode without a `server_url` those of the project.

    While the project's own Basecamp works on the warehouse, it answers in LOCAL mode, too.

    What goes wrong is a result with status FAILURE, never an exception. Only arguments that cannot
    be meant raise: DLIValidationError (204).
    """

    def __init__(self, context: ExecutionContext | None = None) -> None:
        super().__init__(context)
        self._local: Inventory | None = None

    def list_tables(
        self,
        identifier: str | None = None,
        *,
        limit: int = 100,
        owner: str | None = None,
        team: str | None = None,
        tags: Sequence[str] = (),
    ) -> CatalogListResult:
        """All tables, or those of `project`, `project.dataset`, one table, or with an engine first.

        Engines: `bigquery`, `trino`, `hive`. A table must have this owner, this team and all tags.
        """
        check_minimum(1, limit=limit)
        try:
            engine, parts = split_identifier(identifier)
            wanted = TableFilter(engine, tuple(parts), owner, team, tuple(tags))
            if self._is_mock:
                return mock.list_tables(wanted, limit=limit)
            tables, total = self._answered(lambda catalog: catalog.tables(wanted, limit))
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
                return mock.get(table, include_sample=include_sample)
            split_identifier(table)
            detail = self._answered(
                lambda catalog: catalog.detail(table, with_sample=include_sample)
            )
        except DLIError as error:
            return TableDetailResult(status=_FAILURE, error_message=str(error))
        return TableDetailResult(table=detail)

    def search(
        self, pattern: str, *, limit: int = 100, project: str | None = None
    ) -> CatalogSearchResult:
        """Tables with the text in name, columns, description or tags, in any letter case.

        With `project` only those of it.
        """
        check_text(pattern=pattern)
        check_minimum(1, limit=limit)
        try:
            if self._is_mock:
                return mock.search(pattern, limit=limit, project=project)
            tables, total = self._answered(lambda catalog: catalog.search(pattern, project, limit))
        except DLIError as error:
            return CatalogSearchResult(status=_FAILURE, keyword=pattern, error_message=str(error))
        return CatalogSearchResult(tables=tables, total_matches=total, keyword=pattern)

    def _answered(self, ask: Callable[[Inventory | RemoteCatalog], Result]) -> Result:
        root = self._own_root()
        if root is None:
            return ask(RemoteCatalog(self.context))
        has_basecamp = read_server_state(root) is not None
        try:
            return ask(self._inventory(has_basecamp=has_basecamp))
        except ExecutionError as error:
            if not has_basecamp or error.code is not ErrorCode.CONNECTION_FAILED:
                raise
        return ask(RemoteCatalog(self.context))  # it holds the files of the warehouse

    def _own_root(self) -> Path | None:
        """The project whose own warehouse is meant: LOCAL, in a project, no server named."""
        if self.context.execution_mode is not ExecutionMode.LOCAL or self.context.server_url:
            return None
        return find_root(self.context)

    def _inventory(self, *, has_basecamp: bool) -> Inventory:
        if self._local is None:
            project = open_project(self.context)
            patience = _LOCK_TIMEOUT_BESIDE_BASECAMP_S if has_basecamp else _LOCK_TIMEOUT_S
            engine = LocalEngine(lambda: project, None, lock_timeout_s=patience)
            self._local = Inventory(project, engine)
        return self._local
