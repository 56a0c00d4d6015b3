"""The catalog: what the warehouse holds, with what registry, runs, tests and lineage tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from basecamp.services.freshness import freshness
from basecamp.services.permission import Actor, Effect, teams_within
from basecamp.services.sample_query import SampleQueries
from basecamp.services.stock import Stock
from basecamp.store import completion, registration, spec
from basecamp.store.registration import RegistrationFilter
from dli.exceptions import CatalogTableNotFoundError
from dli.models.dataset import DatasetSpec
from dli.specs.identifier import split_identifier
from dli.warehouse.catalog import (
    ENGINE,
    mentions,
    partition_column,
    table_detail,
    table_info,
)
from dli.warehouse.verdict import Verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from basecamp.clock import Clock
    from basecamp.engines.base import Engine
    from basecamp.services.lineage import LineageService
    from basecamp.store.database import Database
    from basecamp.store.registration import Entry
    from dli.models.catalog import TableInfo
    from dli.warehouse.inventory import StoredTable

Records = list[dict[str, Any]]

_SHOWN_QUERIES = 5
_BATCH = 500


class CatalogService:
    """Methods ask the engine until `withdrawn` is done; what they raise beside their own errors
    is that of `Stock`.
    """

    def __init__(
        self,
        database: Database,
        engine: Engine,
        lineage: LineageService,
        *,
        project: Path,
        clock: Clock,
    ) -> None:
        self._database = database
        self._engine = engine
        self._lineage = lineage
        self._project = project
        self._clock = clock
        self._queries = SampleQueries(database, engine)

    def list(
        self,
        actor: Actor,
        *,
        project: str | None = None,
        dataset: str | None = None,
        owner: str | None = None,
        team: str | None = None,
        tag: Sequence[str] = (),
        limit: int = 50,
        offset: int = 0,
        withdrawn: Future[None],
    ) -> tuple[Records, int]:
        """One page of tables by name, and the number of all matches; parts of names in any case."""
        teams = teams_within(actor, Effect.TABLE_READ)
        entries = self._entries(RegistrationFilter(owner, team, teams=teams))
        dataset = None if dataset is None else dataset.lower()
        is_any = owner is None and team is None and not tag and teams is None

        def is_wanted(table: StoredTable) -> bool:
            entry = entries.get(table.name.lower())
            return dataset in (None, table.schema.lower()) and (
                is_any or (entry is not None and set(tag) <= set(entry.tags))
            )

        stock = Stock(self._engine, withdrawn)
        found = [table for table in stock.tables([project] if project else []) if is_wanted(table)]
        return self._infos(stock, found[offset : offset + limit], entries), len(found)

    def search(
        self,
        actor: Actor,
        keyword: str,
        *,
        project: str | None = None,
        limit: int = 20,
        offset: int = 0,
        withdrawn: Future[None],
    ) -> tuple[Records, int]:
        """One page of the tables that mention the keyword, and the number of all."""
        teams = teams_within(actor, Effect.TABLE_READ)
        entries = self._entries(RegistrationFilter(teams=teams))
        stock = Stock(self._engine, withdrawn)
        tables = [
            table
            for table in stock.tables([project] if project else [])
            if teams is None or table.name.lower() in entries
        ]
        specs = self._specs(tables, entries)
        found = [one for one in tables if mentions(keyword, one, specs.get(one.name.lower()))]
        return self._infos(stock, found[offset : offset + limit], entries), len(found)

    def get(
        self,
        actor: Actor,
        ref: str,
        *,
        include_sample: bool = False,
        url_of: Callable[[str], str],
        withdrawn: Future[None],
    ) -> dict[str, Any]:
        """Everything about one table; its rows on request, the values of personal columns masked.

        Raises:
            CatalogTableNotFoundError: there is no such table (702).
            InvalidIdentifierError, UnsupportedEngineError: the name can be none (703, 705).
        """
        if include_sample:
            teams_within(actor, Effect.TABLE_SAMPLE)
        name, teams, entries = self._shown(actor, ref)
        declared = self._specs_of(entries, [name]).get(name)
        table, found = Stock(self._engine, withdrawn).survey(
            name, declared, with_sample=include_sample
        )
        known_as = table.name if declared is None else declared.name
        graph = self._lineage.graph(teams)
        newest = table.updated_at or found.size.newest
        with self._database.read() as tx:
            how_new = freshness(tx, known_as, self._clock.now(), newest)
        detail = table_detail(
            table,
            declared,
            found,
            below=graph.below(table.name),
            tests=Verdicts(self._project).latest(f"dataset:{known_as}"),
            freshness=how_new,
            queries=self._queries.of(table.name, graph, _SHOWN_QUERIES),
            url=url_of(table.name),
        )
        return detail.model_dump(mode="json")

    def queries(
        self, actor: Actor, ref: str, *, limit: int, withdrawn: Future[None]
    ) -> dict[str, Any]:
        """Queries on a table that runs have made, the newest first.

        Raises:
            CatalogTableNotFoundError, InvalidIdentifierError, UnsupportedEngineError: as `get`.
        """
        name, teams, _ = self._shown(actor, ref)
        stored = Stock(self._engine, withdrawn).tables(name.split("."))
        table = next((one for one in stored if one.name.lower() == name), None)
        if table is None:
            raise _unknown(ref)
        found = self._queries.of(table.name, self._lineage.graph(teams), limit)
        return {"queries": [one.model_dump(mode="json") for one in found]}

    def _shown(self, actor: Actor, ref: str) -> tuple[str, frozenset[str] | None, dict[str, Entry]]:
        """The name of a table that the caller may see, their teams, and the datasets of these.

        A table that no team's dataset makes is for who is in every team.
        """
        teams = teams_within(actor, Effect.TABLE_READ)
        name = _name_in(ref)
        entries = self._entries(RegistrationFilter(teams=teams))
        if teams is not None and name not in entries:
            raise _unknown(ref)
        return name, teams, entries

    def _infos(
        self, stock: Stock, tables: Sequence[StoredTable], entries: dict[str, Entry]
    ) -> Records:
        if not tables:
            return []
        specs = self._specs(tables, entries)
        sizes = stock.sizes(
            {one.name: partition_column(specs.get(one.name.lower())) for one in tables}
        )
        infos = [
            table_info(one, specs.get(one.name.lower()), sizes[one.name])
            for one in tables
            if one.name in sizes
        ]
        return [info.model_dump(mode="json") for info in self._with_runs(infos, entries)]

    def _with_runs(
        self, infos: Sequence[TableInfo], entries: dict[str, Entry]
    ) -> Sequence[TableInfo]:
        """Where runs have completed, the last one tells how new the data is."""
        with self._database.read() as tx:
            for info in infos:
                entry = entries.get(info.name.lower())
                runs = [] if entry is None else completion.newest(tx, entry.name, 1)
                if runs:
                    info.last_updated = runs[0].finished_at
        return infos

    def _entries(self, wanted: RegistrationFilter) -> dict[str, Entry]:
        """Datasets by their names in lower case: the engine does not tell `A` from `a`."""
        with self._database.read() as tx:
            found = registration.entries(tx, "dataset", wanted)
        return {entry.name.lower(): entry for entry in found}

    def _specs(
        self, tables: Iterable[StoredTable], entries: dict[str, Entry]
    ) -> dict[str, DatasetSpec]:
        return self._specs_of(entries, [table.name.lower() for table in tables])

    def _specs_of(self, entries: dict[str, Entry], names: Sequence[str]) -> dict[str, DatasetSpec]:
        """The specs that those of the names have which are datasets."""
        hashes = {entries[name].spec_hash: name for name in names if name in entries}
        digests = list(hashes)
        found: dict[str, DatasetSpec] = {}
        for start in range(0, len(digests), _BATCH):
            with self._database.read() as tx:
                contents = spec.load_each(tx, digests[start : start + _BATCH])
            for digest, content in contents.items():
                found[hashes[digest]] = DatasetSpec.model_validate(content)
        return found


def _name_in(ref: str) -> str:
    """The name of a table in lower case, without the engine that may come first."""
    engine, parts = split_identifier(ref)
    if engine not in (None, ENGINE):
        raise _unknown(ref)
    return ".".join(parts).lower()


def _unknown(ref: str) -> CatalogTableNotFoundError:
    return CatalogTableNotFoundError("There is no such table.", table_ref=ref)
