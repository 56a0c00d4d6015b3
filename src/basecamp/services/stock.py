"""What the warehouse holds, asked of the engine for one request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dli.models.wire import from_wire
from dli.warehouse.catalog import partition_column, personal_columns
from dli.warehouse.inventory import Size, StoredTable, Survey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future

    from basecamp.engines.base import Engine
    from dli.models.dataset import DatasetSpec

_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Stock:
    """Every method is given up once `withdrawn` is done.

    All raise ServerError when the engine does not answer (504), and DLIError 403 when another
    process holds the warehouse.
    """

    engine: Engine
    withdrawn: Future[None]

    def tables(self, within: Sequence[str]) -> list[StoredTable]:
        """Tables and sources whose names start with these parts, by name."""
        answer = self._ask("tables", {"within": list(within)})
        return from_wire(list[StoredTable], answer["tables"])

    def sizes(self, partitions: Mapping[str, str | None]) -> dict[str, Size]:
        """The sizes of tables by name; each with the column that it is divided by."""
        answer = self._ask("sizes", {"tables": dict(partitions)})
        return from_wire(dict[str, Size], answer["sizes"])

    def survey(
        self, name: str, spec: DatasetSpec | None, *, with_sample: bool
    ) -> tuple[StoredTable, Survey]:
        """A table in full; the values of columns that its spec marks as personal are masked.

        Raises:
            DLIError: there is no such table (702).
        """
        arguments = {
            "name": name,
            "partition": partition_column(spec),
            "hidden": sorted(personal_columns(spec)),
            "with_sample": with_sample,
        }
        answer = self._ask("table", arguments)
        return from_wire(StoredTable, answer["table"]), from_wire(Survey, answer["survey"])

    def _ask(self, what: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return self.engine.ask(
            f"catalog.{what}", arguments, timeout_s=_TIMEOUT_S, withdrawn=self.withdrawn
        )
