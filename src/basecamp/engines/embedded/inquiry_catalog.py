"""Questions about what the warehouse holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.exceptions import CatalogTableNotFoundError
from dli.models.wire import to_wire
from dli.warehouse.catalog import SAMPLE_ROWS, is_within
from dli.warehouse.inventory import Size, StoredTable, Survey, size_of, survey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from basecamp.engines.embedded.desk import Desk


def tables(desk: Desk, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The tables whose names start with the parts `within`, by name."""
    with desk.session() as session:
        found = [table for table in session.tables() if is_within(table, arguments["within"])]
    return {"tables": to_wire(list[StoredTable], found)}


def sizes(desk: Desk, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The size of each of the `tables`, names with the column they are divided by, or None.

    One that has gone meanwhile is left out.
    """
    with desk.session() as session:
        stored = {table.name: table for table in session.tables()}
        found = {
            name: size_of(session, stored[name], partition)
            for name, partition in arguments["tables"].items()
            if name in stored
        }
    return {"sizes": to_wire(dict[str, Size], found)}


def table(desk: Desk, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One table and a survey of it; `hidden` columns are masked in its rows.

    Raises:
        CatalogTableNotFoundError: there is none of this name, in any letter case (702).
    """
    name = arguments["name"]
    with desk.session() as session:
        stored = {one.name.lower(): one for one in session.tables()}
        found = stored.get(name.lower())
        if found is None:
            raise CatalogTableNotFoundError("There is no such table.", table_ref=name)
        looked_at = survey(
            session,
            found,
            partition=arguments["partition"],
            hidden=arguments["hidden"],
            row_limit=SAMPLE_ROWS if arguments["with_sample"] else 0,
        )
    return {
        "table": to_wire(StoredTable, found),
        "survey": to_wire(Survey, looked_at),
    }
