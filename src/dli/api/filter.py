"""Which specs a list is to have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dli.models.spec import SpecBase

__all__ = ["SpecFilter"]


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
