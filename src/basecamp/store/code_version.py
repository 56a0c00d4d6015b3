"""State SQL of published versions of the CODE set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert

from basecamp.store import table

if TYPE_CHECKING:
    from datetime import datetime

_VERSION = table.code_version


def record(tx: Connection, version: str, *, by: str, at: datetime, spec_count: int) -> None:
    """Remember a publication; publishing a version again moves it to now."""
    tx.execute(delete(_VERSION).where(_VERSION.c.version == version))
    values = {"published_by": by, "published_at": at, "spec_count": spec_count}
    tx.execute(insert(_VERSION).values(version=version, **values))
