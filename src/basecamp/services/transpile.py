"""The transpile rules and metrics that the server's project declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from basecamp.services.permission import SERVER, Actor, Effect, authorize
from basecamp.services.project import project_at
from dli.exceptions import MetricNotFoundError
from dli.specs.content import content_hash
from dli.specs.substitution import Rules

if TYPE_CHECKING:
    from pathlib import Path

_VERSION_DIGITS = 12


class TranspileService:
    """Shows what callers rewrite their SQL by."""

    def __init__(self, project: Path) -> None:
        self._project = project

    def rules(self, actor: Actor) -> dict[str, Any]:
        """All rules, the highest priority first; the version changes with any of them.

        Raises:
            ServerError: the project's settings cannot be used (DLI-504).
        """
        authorize(actor, Effect.PROJECT_READ, SERVER)
        found = sorted(self._rules().rules, key=lambda rule: -rule.priority)
        records = [rule.model_dump(mode="json") for rule in found]
        return {"rules": records, "version": content_hash({"rules": records})[:_VERSION_DIGITS]}

    def metric(self, actor: Actor, name: str) -> dict[str, Any]:
        """What `METRIC(name)` stands for.

        Raises:
            MetricNotFoundError: nothing (102).
            ServerError: the project's settings cannot be used (DLI-504).
        """
        authorize(actor, Effect.PROJECT_READ, SERVER)
        found = self._rules().definition(name)
        if found is None:
            raise MetricNotFoundError("There is no such metric expression.")
        return found.model_dump(mode="json")

    def _rules(self) -> Rules:
        project = project_at(self._project)
        if project is None:
            return Rules()
        section = project.config.transpile
        return Rules(rules=section.rules, metrics=section.metrics)
