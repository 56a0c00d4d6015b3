"""Whether the server can do its work, part by part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dli.exceptions import DLIError

if TYPE_CHECKING:
    from basecamp.engines.base import Engine
    from basecamp.store.database import Database


_GOOD = ("ok", "standby")
"""A server on standby answers every request; another one on the same store schedules."""


@dataclass(frozen=True)
class Health:
    """The state of the server's parts; the words are for people."""

    parts: dict[str, str]
    tick_age_s: float | None = None
    """How long ago the scheduler looked at its clock."""

    @property
    def is_ok(self) -> bool:
        return not self.failing

    @property
    def failing(self) -> list[str]:
        """The parts that cannot do their work."""
        return [part for part, state in self.parts.items() if state not in _GOOD]


class HealthService:
    """Asks each part."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine
        self.is_ready = False
        """Set once the store has been compared with the spec files, unset when the server ends."""

    def look(self) -> Health:
        """The state of store, scheduler and engine now."""
        engine: dict[str, Any] = self._engine.health()
        store = "ok" if self._can_store() else "failing"
        if engine.get("store", "ok") != "ok":
            store = "failing"
        parts = {
            "server": "ok" if self.is_ready else "starting or stopping",
            "store": store,
            "scheduler": str(engine.get("scheduler", "ok")),
            "engine": str(engine.get("engine", "ok" if engine["ok"] else "failing")),
        }
        return Health(parts, engine.get("tick_age_s"))

    def _can_store(self) -> bool:
        try:
            self._database.ping()
        except DLIError:
            return False
        return True
