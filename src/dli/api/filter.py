"""Which specs and tables a list is to have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from dli.models.spec import SpecBase

__all__ = ["SpecFilter", "TableFilter"]


@dataclass(frozen=True)
class SpecFilter:
    """Exact filters, `None` for any; a spec must have all `tags`."""

    domain: str | None = None
    owner: str | None = None
    tags: list[str] | None = None
    catalog: str | None = None
    schema: str | None = None

    def fits(self, spec: SpecBase) -> bool:
        return (
            (self.domain is None or self.domain in spec.domains)
            and self.owner in (None, spec.owner)
            and set(self.tags or ()) <= set(spec.tags)
            and self.catalog in (None, spec.catalog)
            and self.schema in (None, spec.schema_name)
        )


@dataclass(frozen=True)
class TableFilter:
    """Names that start with `parts`, in any letter case; the others are exact, `None` for any.

    A table must have all `tags`.
    """

    engine: str | None = None
    parts: tuple[str, ...] = ()
    owner: str | None = None
    team: str | None = None
    tags: tuple[str, ...] = ()

    def fits(
        self, name: str, engine: str, owner: str | None, team: str | None, tags: Collection[str]
    ) -> bool:
        wanted = [part.lower() for part in self.parts]
        return (
            self.engine in (None, engine)
            and name.lower().split(".")[: len(wanted)] == wanted
            and self.owner in (None, owner)
            and self.team in (None, team)
            and set(self.tags) <= set(tags)
        )
