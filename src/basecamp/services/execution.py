"""Datasets, metrics and statements that are run at once while the caller waits."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from basecamp.services.command import Caller, Change, Commands, Permit, Reply
from basecamp.services.pace import UNLIMITED, check_pace
from basecamp.services.permission import SERVER, Effect, authorize, authorize_named
from basecamp.specstore.name import is_name
from basecamp.store import registration, spec
from dli.exceptions import DatasetNotFoundError, DLIError, MetricNotFoundError
from dli.specs.content import content_hash

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from sqlalchemy import Connection

    from basecamp.clock import Clock
    from basecamp.engines.base import Engine
    from basecamp.rate import Allowances
    from basecamp.store.database import Database

ROWS_MAX = 10_000
"""Rows of a metric that one answer holds at most."""

_STATEMENT_TIMEOUT_S = 3600
_INLINE = "<inline>"


class ExecutionService:
    """Has the engine run what a caller asks for, outside of workflow, schedule and history.

    Once `withdrawn` is done, nobody waits any more, and the SQL is ended.
    """

    def __init__(
        self, database: Database, engine: Engine, clock: Clock, *, starts: Allowances = UNLIMITED
    ) -> None:
        self._starts = starts
        self._database = database
        self._engine = engine
        self._commands = Commands(database, clock)

    def run_dataset(
        self,
        caller: Caller,
        name: str,
        *,
        parameters: dict[str, Any],
        dry_run: bool,
        left_out: Sequence[str],
        withdrawn: Future[None],
    ) -> Reply:
        """Run the registered spec of a dataset, or the one in force; it takes turns with its runs.

        Raises:
            DatasetNotFoundError: nobody registered it (101).
            DLIError: what the run could not begin with (202-204, 401-403, 504).
        """
        permit = _permit_on(caller, Effect.DATASET_RUN, "dataset", name)
        content = self._registered(permit, "dataset", name)
        arguments = {
            "spec": content,
            "parameters": parameters,
            "dry_run": dry_run,
            "left_out": list(left_out),
        }

        def work() -> dict[str, Any]:
            return self._engine.ask(
                "dataset.run",
                arguments,
                timeout_s=patience_s(content),
                writes=None if dry_run else name,
                withdrawn=withdrawn,
            )

        if dry_run:
            return self._commands.look(caller, permit, work)

        def note(change: Change) -> None:
            check_pace(self._starts, caller, name)
            change.audit("dataset.run", name)

        return self._commands.carry_out(caller, permit, work, note)

    def run_metric(
        self,
        caller: Caller,
        name: str,
        *,
        parameters: dict[str, Any],
        limit: int,
        dry_run: bool,
        by: Sequence[str],
        metrics: Sequence[str],
        withdrawn: Future[None],
    ) -> Reply:
        """The first rows of a registered metric, as its SQL stands or its measures by dimension.

        Raises:
            MetricNotFoundError: nobody registered it (102).
            DLIError: what the query could not begin with (202-204, 401-403, 504).
        """
        permit = _permit_on(caller, Effect.METRIC_RUN, "metric", name)
        content = self._registered(permit, "metric", name)
        timeout_s = patience_s(content)
        arguments = {
            "spec": content,
            "parameters": parameters,
            "limit": limit,
            "dry_run": dry_run,
            "by": list(by),
            "metrics": list(metrics),
        }

        def work() -> dict[str, Any]:
            return self._engine.ask(
                "metric.run", arguments, timeout_s=timeout_s, withdrawn=withdrawn
            )

        return self._commands.look(caller, permit, work)

    def run_sql(self, caller: Caller, *, withdrawn: Future[None], **statement: Any) -> Reply:
        """Run one statement: `sql`, `parameters`, `dialect`, `transpile`, `strict`, `dry_run`.

        Raises:
            DLIError: what the statement could not begin with (202-204, 30x, 401-403, 504).
        """

        def work() -> dict[str, Any]:
            timeout_s = 2.0 * _STATEMENT_TIMEOUT_S
            return self._engine.ask("sql.run", statement, timeout_s=timeout_s, withdrawn=withdrawn)

        def note(change: Change) -> None:
            # The text may hold what is nobody's business; its hash tells equal ones.
            change.audit(
                "sql.run", _INLINE, detail={"hash": content_hash({"sql": statement["sql"]})}
            )

        def permit(_: Connection) -> None:
            authorize(caller.actor, Effect.SQL_RUN, SERVER)

        if statement["dry_run"]:
            return self._commands.look(caller, permit, work)
        return self._commands.carry_out(caller, permit, work, note)

    def _registered(self, permit: Permit, kind: str, name: str) -> dict[str, Any]:
        with self._database.read() as tx:
            permit(tx)
            found = registered_spec(tx, kind, name)
        if found is None:
            raise _unknown(kind)
        return found


def _permit_on(caller: Caller, effect: Effect, kind: str, name: str) -> Permit:
    def permit(tx: Connection) -> None:
        hidden = partial(_unknown, kind)
        authorize_named(tx, caller.actor, effect, name, kind=kind, hidden=hidden)

    return permit


def _unknown(kind: str) -> DLIError:
    if kind == "dataset":
        return DatasetNotFoundError("There is no such dataset.")
    return MetricNotFoundError("There is no such metric.")


def registered_spec(tx: Connection, kind: str, name: str) -> dict[str, Any] | None:
    """The spec in force of a dataset, or the newest of a metric; `None` when nobody sent one."""
    found = registration.entry(tx, kind, name) if is_name(name) else None
    return None if found is None else spec.load(tx, found.spec_hash)


def patience_s(content: dict[str, Any]) -> float:
    """How long to wait for a spec's SQL: as much again for its turn as for the work itself.

    The worker ends what takes longer than the spec allows, and says so.
    """
    return 2.0 * float(content.get("execution", {}).get("timeout_seconds", _STATEMENT_TIMEOUT_S))
