"""The graph of everything registered: what each spec reads and writes, kept by its hash."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from basecamp.services.permission import Actor, Effect, teams_within
from basecamp.services.project import project_at
from basecamp.specstore.name import is_name
from basecamp.store import holding, registration, spec
from basecamp.store.registration import RegistrationFilter
from dli.exceptions import DatasetNotFoundError, DLIError, ServerError
from dli.models.dataset import DatasetSpec
from dli.models.lineage import LineageDirection
from dli.models.metric import MetricSpec
from dli.models.spec import SpecType
from dli.specs.lineage import Lineage, Member, declared_columns, member_of

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from sqlalchemy import Connection

    from basecamp.engines.base import Engine
    from basecamp.store.database import Database

_BATCH = 50
_TIMEOUT_S = 60.0


class LineageService:
    """Asks the engine about each spec once; used by many threads."""

    def __init__(self, database: Database, engine: Engine, project: Path) -> None:
        self._database = database
        self._engine = engine
        self._project = project
        self._lock = threading.Lock()
        self._members: dict[str, Member] = {}
        self._variables: dict[str, Any] = {}

    def around(self, actor: Actor, name: str, *, direction: str, depth: int) -> dict[str, Any]:
        """The part of the graph around a name, as `http.md` names it.

        Raises:
            DatasetNotFoundError: nothing of this name is known (101).
            ServerError: engine or settings of the project cannot be used (DLI-504).
        """
        graph = self.graph(teams_within(actor, Effect.DATASET_READ))
        return asdict(graph.around(name, LineageDirection(direction), depth))

    def columns(self, actor: Actor, name: str, *, withdrawn: Future[None]) -> dict[str, Any]:
        """From which columns of which tables each column of a dataset or metric is made.

        Raises:
            DatasetNotFoundError: no dataset or metric of this name is registered (101).
            DLIError: as the engine refuses, such as a warehouse that another process holds (403).
        """
        teams = teams_within(actor, Effect.DATASET_READ)
        with self._database.read() as tx:
            content = _registered(tx, name, teams)
        if content is None:
            raise DatasetNotFoundError("There is no such dataset or metric.", name=name)
        above = self.graph(teams).around(name, LineageDirection.UPSTREAM, 1)
        declared: dict[str, list[str]] = {}
        with self._database.read() as tx:
            for table in (name, *(node.name for node in above.nodes)):
                known = _registered(tx, table, teams)
                if known is not None and (names := declared_columns(_parsed(known))):
                    declared[table] = names
        asked = {"spec": content, "declared": declared}
        answer = self._engine.ask(
            "lineage.columns", asked, timeout_s=_TIMEOUT_S, withdrawn=withdrawn
        )
        return {"name": name, "columns": answer["columns"]}

    def graph(self, teams: frozenset[str] | None) -> Lineage:
        """The graph as the registry, the workflows and the project's sources are now.

        Of other teams than `teams` it knows no more than the names of tables that theirs read.

        Raises:
            ServerError: as `around`.
        """
        project = project_at(self._project)
        with self._database.read() as tx:
            found = {
                kind: registration.entries(tx, kind, RegistrationFilter())
                for kind in (holding.DATASET, holding.METRIC)
            }
            held = None if teams is None else holding.names(tx, teams)
        variables = {} if project is None else project.variables
        known = self._known(
            [entry.spec_hash for entries in found.values() for entry in entries], variables
        )
        members = [
            known[entry.spec_hash]
            for kind, entries in found.items()
            for entry in entries
            if held is None or (kind, entry.name) in held
        ]
        return Lineage(members, () if project is None else [one.table for one in project.sources])

    def _known(self, hashes: list[str], variables: dict[str, Any]) -> dict[str, Member]:
        """A member for each hash; what templates read from the project's variables may change."""
        with self._lock:
            if variables != self._variables:
                self._members.clear()
                self._variables = variables
            unknown = [one for one in dict.fromkeys(hashes) if one not in self._members]
            for start in range(0, len(unknown), _BATCH):
                self._learn(unknown[start : start + _BATCH])
            self._members = {one: self._members[one] for one in hashes}
            return dict(self._members)

    def _learn(self, hashes: list[str]) -> None:
        with self._database.read() as tx:
            contents = spec.load_each(tx, hashes)
        try:
            tables = self._tables(list(contents.values()))
        except ServerError:
            raise
        except DLIError:  # one of them has a template that cannot be rendered at all
            tables = [self._tables_of_one(content) for content in contents.values()]
        for (digest, content), found in zip(contents.items(), tables, strict=True):
            self._members[digest] = member_of(_parsed(content), **found)

    def _tables(self, contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answer = self._engine.ask("lineage.tables", {"specs": contents}, timeout_s=_TIMEOUT_S)
        found: list[dict[str, Any]] = answer["tables"]
        return found

    def _tables_of_one(self, content: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._tables([content])[0]
        except ServerError:
            raise
        except DLIError:
            return {}


def _registered(tx: Connection, name: str, teams: frozenset[str] | None) -> dict[str, Any] | None:
    """The spec of a dataset or metric that one of the teams holds."""
    for kind in (holding.DATASET, holding.METRIC):
        found = registration.entry(tx, kind, name) if is_name(name) else None
        is_shown = teams is None or holding.team(tx, kind, name) in teams
        if found is not None and is_shown:
            return spec.load(tx, found.spec_hash)
    return None


def _parsed(content: dict[str, Any]) -> DatasetSpec | MetricSpec:
    model = MetricSpec if content["type"] == SpecType.METRIC.value else DatasetSpec
    return model.model_validate(content)
