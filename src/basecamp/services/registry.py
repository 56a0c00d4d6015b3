"""The registry: datasets and metrics that callers have registered, version by version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from basecamp.engines.base import Engine, RunSpec
from basecamp.services import ownership
from basecamp.services.command import Caller, Change, Commands, Reply
from basecamp.services.permission import (
    Actor,
    Effect,
    authorize_named,
    authorize_writing,
    teams_within,
)
from basecamp.services.record import version_records, wire_time
from basecamp.specstore.document import stored_form
from basecamp.specstore.name import is_name
from basecamp.store import holding, registration, spec, workflow
from basecamp.store.registration import Entry, RegistrationFilter
from dli.exceptions import (
    DatasetNotFoundError,
    DLIError,
    DLIValidationError,
    ErrorCode,
    MetricNotFoundError,
    WorkflowPermissionError,
)
from dli.specs.parameter import samples
from dli.specs.parser import dataset_from_mapping, metric_from_mapping
from dli.specs.schedule import latest_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from basecamp.clock import Clock
    from basecamp.store.database import Database
    from dli.models.dataset import DatasetSpec
    from dli.models.metric import MetricSpec

Kind = Literal["dataset", "metric"]
Records = list[dict[str, Any]]


class RegistryService:
    """Keeps and shows specs of one kind; a spec that changes gets a new version."""

    def __init__(self, database: Database, engine: Engine, clock: Clock, kind: Kind) -> None:
        self._database = database
        self._engine = engine
        self._clock = clock
        self._kind = kind
        self._commands = Commands(database, clock)

    def register(self, caller: Caller, *, spec: dict[str, Any], force: bool = False) -> Reply:
        """Keep a spec: 201, or 200 when one of this name was there and `force` is given.

        Raises:
            DLIValidationError: the spec or its SQL is wrong (203, 202); one of this name is there
                and `force` was not given (201, a conflict).
            WorkflowPermissionError: a CODE workflow has this name (803).
        """

        def permit(tx: Connection) -> None:
            self._authorize_writing(tx, caller.actor, spec)

        if (first := self._commands.replay(caller, permit)) is not None:
            return first
        parsed = self._parsed(spec)
        content = stored_form(parsed)
        self._check_sql(parsed, content)

        def keep(change: Change) -> Reply:
            return self._kept(change, content, force=force)

        return self._commands.execute(caller, permit, keep)

    def get(self, actor: Actor, name: str) -> dict[str, Any]:
        """The newest spec of a name, and when it was registered by whom.

        Raises:
            DatasetNotFoundError, MetricNotFoundError: there is none (101, 102).
        """
        with self._database.read() as tx:
            self._authorize_reading(tx, actor, name)
            found = registration.entry(tx, self._kind, name) if is_name(name) else None
            if found is None:
                raise self._unknown()
            return _record(tx, found)

    def list(
        self,
        actor: Actor,
        *,
        tag: Sequence[str] = (),
        owner: str | None = None,
        team: str | None = None,
        domain: str | None = None,
        search: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[Records, int]:
        """One page of specs by name, and the number of all matches."""
        wanted = RegistrationFilter(owner, team, search, teams_within(actor, self._reading))
        with self._database.read() as tx:
            found = registration.entries(tx, self._kind, wanted)
            found = [one for one in found if set(tag) <= set(one.tags)]
            if domain is not None:
                found = [one for one in found if domain in _domains(tx, one)]
            return [_record(tx, one) for one in found[offset : offset + limit]], len(found)

    def versions(
        self, actor: Actor, name: str, *, limit: int = 50, offset: int = 0
    ) -> tuple[Records, int]:
        """Registered versions of a name, newest first; none for a name that only has a workflow.

        Raises:
            DatasetNotFoundError, MetricNotFoundError: the name is not known (101, 102).
        """
        with self._database.read() as tx:
            self._authorize_reading(tx, actor, name)
            rows = registration.versions(tx, self._kind, name) if is_name(name) else []
            if not rows and registration.entry(tx, self._kind, name) is None:
                raise self._unknown()
        return version_records(rows[offset : offset + limit]), len(rows)

    @property
    def _reading(self) -> Effect:
        return Effect.DATASET_READ if self._kind == "dataset" else Effect.METRIC_READ

    def _authorize_reading(self, tx: Connection, actor: Actor, name: str) -> None:
        authorize_named(tx, actor, self._reading, name, kind=self._kind, hidden=self._unknown)

    def _authorize_writing(self, tx: Connection, actor: Actor, given: dict[str, Any]) -> None:
        is_dataset = self._kind == "dataset"
        effect = Effect.DATASET_REGISTER if is_dataset else Effect.METRIC_REGISTER
        name = given.get("name")
        known_as = name if isinstance(name, str) else ""
        authorize_writing(tx, actor, effect, known_as, given, kind=self._kind)

    def _parsed(self, given: dict[str, Any]) -> DatasetSpec | MetricSpec:
        if self._kind == "dataset":
            return dataset_from_mapping(given, "spec")[0]
        return metric_from_mapping(given, "spec")[0]

    def _check_sql(self, parsed: DatasetSpec | MetricSpec, content: dict[str, Any]) -> None:
        if parsed.query_statement is None:
            return  # may be listed and read, not run
        # For the engine a metric is a dataset whose main statement only reads.
        fields = {key: content[key] for key in content if key not in ("metrics", "dimensions")}
        asked_for = {**fields, "type": "Dataset", "query_type": "DML"}
        schedule = content.get("schedule") or {}
        timezone = schedule.get("timezone", "UTC")
        interval = latest_interval(schedule.get("cron", ""), timezone, self._clock.now())
        asked = RunSpec(
            asked_for, samples(parsed.parameters), interval.start, interval.end, timezone
        )
        found = self._engine.check(asked, bind=False)
        if not found.ok:
            code = ErrorCode(found.code or ErrorCode.SPEC_INVALID)
            raise DLIValidationError(found.message or "The SQL cannot be used.", code=code)

    def _kept(self, change: Change, content: dict[str, Any], *, force: bool) -> Reply:
        tx, name = change.tx, content["name"]
        if self._kind == "dataset" and workflow.find(tx, name, ownership.CODE) is not None:
            raise WorkflowPermissionError(
                "A CODE workflow has this name; its spec is changed in Git only."
            )
        old = registration.versions(tx, self._kind, name)
        if old and not force:
            raise DLIValidationError(
                f"A {self._kind} of this name is registered; use force to replace it.",
                code=ErrorCode.VALIDATION_FAILED,
                details={"conflict": True},
            )
        digest = spec.save(tx, content, change.now)
        if not old or old[0].spec_hash != digest:
            version = registration.add(
                tx, self._kind, content, digest, by=change.caller.name, at=change.now
            )
            change.audit(f"{self._kind}.register", name, detail={"version": version})
            if self._kind == "metric" or workflow.effective(tx, name) is None:
                holding.keep(tx, self._kind, name, content["team"])
        found = registration.entry(tx, self._kind, name)
        assert found is not None
        return Reply(200 if old else 201, _record(tx, found))

    def _unknown(self) -> DLIError:
        if self._kind == "dataset":
            return DatasetNotFoundError("There is no such dataset.")
        return MetricNotFoundError("There is no such metric.")


def _record(tx: Connection, found: Entry) -> dict[str, Any]:
    return {
        **spec.load(tx, found.spec_hash),
        "created_at": wire_time(found.created_at),
        "updated_at": wire_time(found.updated_at),
        "spec_hash": found.spec_hash,
        "registered_version": found.version,
        "registered_by": found.author,
    }


def _domains(tx: Connection, found: Entry) -> list[str]:
    domains: list[str] = spec.load(tx, found.spec_hash).get("domains", [])
    return domains
