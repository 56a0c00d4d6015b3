"""Names of tables on a warehouse: catalog, schema and table."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["HOME", "Relation", "quoted", "search_path"]


class Relation(NamedTuple):
    """A missing leading part is the empty text."""

    catalog: str
    schema: str
    table: str

    @classmethod
    def parse(cls, name: str) -> Relation:
        parts = name.split(".")
        if len(parts) > 3:
            # Trino knows no fourth part either; the engine refuses the text itself.
            parts = parts[:3]
        return cls(*[""] * (3 - len(parts)), *parts)

    def within(self, catalog: str, schema: str) -> Relation:
        """The full name, with the missing parts taken from the arguments."""
        return Relation(self.catalog or catalog, self.schema or schema, self.table)

    @property
    def key(self) -> tuple[str, str, str]:
        """Equal for names that the engine takes for the same: it ignores case."""
        return self.catalog.lower(), self.schema.lower(), self.table.lower()

    def __str__(self) -> str:
        return ".".join(part for part in self if part)

    @property
    def sql(self) -> str:
        return ".".join(quoted(part) for part in self if part)


HOME = Relation("local", "main", "")
"""Where names without catalog and schema live unless the environment says otherwise."""


def quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def search_path(home: Relation) -> str:
    """The statement after which names without catalog or schema are found in these.

    The engine's own catalog stays reachable: macros live there.
    """
    place = f"{quoted(home.catalog.lower())}.{quoted(home.schema)}".replace("'", "''")
    return f"SET search_path = '{place},memory.main'"
