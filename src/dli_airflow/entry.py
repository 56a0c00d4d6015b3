"""One workflow of the spec store as the DAG files know it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

__all__ = ["Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """The last usable content of one spec, and what is wrong with a newer one.

    `signature` is that of the file in the store, whether it was usable or not. `since` is when the
    schedule came into force, in ISO form: no fire at or before it is made up.
    """

    name: str
    source_type: str
    signature: str
    is_paused: bool
    since: str
    spec_hash: str = ""
    content: dict[str, Any] | None = None
    problem: str | None = None

    @property
    def schedule(self) -> dict[str, Any]:
        """The `schedule` block of the spec; empty for one that runs on demand only."""
        found: dict[str, Any] = (self.content or {}).get("schedule") or {}
        return found

    @property
    def rhythm(self) -> tuple[str, str, bool]:
        """What decides when the workflow fires: cron, timezone, and whether it does at all."""
        schedule = self.schedule
        return schedule.get("cron", ""), schedule.get("timezone", "UTC"), not self.is_paused

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _NAMES}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**data)


_NAMES = tuple(field.name for field in fields(Entry))
