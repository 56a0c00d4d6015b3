"""Workflows: list, show, register, unregister, pause and unpause."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from basecamp.engines.base import Engine, RunSpec
from basecamp.failpoint import failpoint
from basecamp.services import ownership
from basecamp.services.command import Caller, Change, Commands, Permit, Reply
from basecamp.services.permission import (
    Actor,
    Effect,
    authorize_named,
    authorize_writing,
    teams_within,
)
from basecamp.services.record import wire_time, workflow_record
from basecamp.specstore.document import stored_form
from basecamp.store import registration, spec, tick, workflow
from basecamp.store.workflow import WorkflowFilter, WorkflowRow
from dli.exceptions import (
    DatasetNotFoundError,
    DLIValidationError,
    ErrorCode,
    ServerError,
    WorkflowExecutionError,
    WorkflowNotFoundError,
    WorkflowPermissionError,
    WorkflowRegistrationError,
)
from dli.models.dataset import DatasetSpec
from dli.specs.parameter import unfillable
from dli.specs.parser import dataset_from_mapping
from dli.specs.schedule import check_schedule, latest_interval

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from basecamp.clock import Clock
    from basecamp.store.database import Database

_log = logging.getLogger(__name__)


class ManualFiles(Protocol):
    """Where the specs of MANUAL workflows are kept as files."""

    def put_manual(self, name: str, content: dict[str, Any]) -> None:
        """Write the file of a workflow, whole or not at all."""
        ...

    def remove_manual(self, name: str) -> None:
        """Remove the file of a workflow if there is one."""
        ...


def addressed(tx: Connection, name: str, source_type: str | None) -> WorkflowRow:
    """The workflow a request means: the one in force unless a source is named.

    Raises:
        WorkflowNotFoundError: there is none (DLI-800).
    """
    row = workflow.find(tx, name, source_type) if source_type else workflow.effective(tx, name)
    if row is None:
        raise no_such_workflow()
    return row


def no_such_workflow() -> WorkflowNotFoundError:
    return WorkflowNotFoundError("There is no such workflow.")


def permit_on(caller: Caller, effect: Effect, name: str) -> Permit:
    """That a caller may have an effect on a workflow; who may not see it is told there is none."""
    return lambda tx: authorize_named(tx, caller.actor, effect, name, hidden=no_such_workflow)


class WorkflowService:
    """Changes and shows workflows."""

    def __init__(
        self, database: Database, engine: Engine, files: ManualFiles, clock: Clock
    ) -> None:
        self._database = database
        self._engine = engine
        self._files = files
        self._clock = clock
        self._commands = Commands(database, clock)

    def list(
        self,
        actor: Actor,
        *,
        source_type: str | None = None,
        status: str | None = None,
        dataset: str | None = None,
        owner: str | None = None,
        running: bool = False,
        enabled: bool = False,
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[list[dict[str, Any]], int]:
        """One page of workflow records by name, and the number of all matches."""
        teams = teams_within(actor, Effect.DATASET_READ)
        wanted = WorkflowFilter(source_type, status, dataset, owner, running, enabled, teams)
        with self._database.read() as tx:
            rows, count = workflow.page(tx, wanted, limit, offset)
        holds = self._engine.holds()
        return [workflow_record(row, holds.get(row.dataset_name)) for row in rows], count

    def get(self, actor: Actor, name: str) -> dict[str, Any]:
        """The workflow in force, with its spec's hash and the ticks it skipped lately.

        Raises:
            WorkflowNotFoundError: there is none (DLI-800).
        """
        with self._database.read() as tx:
            authorize_named(tx, actor, Effect.DATASET_READ, name, hidden=no_such_workflow)
            row = addressed(tx, name, None)
            skipped = tick.newest(tx, name)
        ticks = [
            {
                **entry,
                "first_at": wire_time(entry["first_at"]),
                "last_at": wire_time(entry["last_at"]),
            }
            for entry in skipped
        ]
        record = workflow_record(row, self._engine.holds().get(name))
        return {**record, "spec_hash": row.spec_hash, "skipped_ticks": ticks}

    def register(
        self,
        caller: Caller,
        *,
        dataset_name: str,
        cron: str,
        timezone: str = "UTC",
        enabled: bool = True,
        retry_max_attempts: int = 1,
        retry_delay_seconds: int = 300,
        force: bool = False,
        spec: dict[str, Any] | None = None,
    ) -> Reply:
        """Store a MANUAL workflow with exactly these settings: 201, or 200 when one was replaced.

        Raises:
            WorkflowRegistrationError: cron or zone not valid (805), exists (804), refused (801).
            WorkflowPermissionError: a CODE workflow has this name (803).
            DatasetNotFoundError: no spec given and none registered (101).
        """
        permit = _permit_writing(caller, dataset_name, spec)
        check_schedule(cron, timezone)
        if (first := self._commands.replay(caller, permit)) is not None:
            return first
        with self._commands.keeping_refusals(caller):
            content, warning = self._content(dataset_name, spec)
        asked = {
            "enabled": enabled,
            "cron": cron,
            "timezone": timezone,
            "retry": {"max_attempts": retry_max_attempts, "delay_seconds": retry_delay_seconds},
        }
        permit = _permit_writing(caller, dataset_name, content)
        content, difference = _with_schedule(content, asked)
        self._check(content)

        def store(change: Change) -> Reply:
            return self._store_manual(change, content, warning or difference, force=force)

        reply = self._commands.execute(caller, permit, store)
        if reply.replayed:
            return reply
        late = self._late_file()
        self._engine.wake()
        pending = late or self._engine.put_in_force([dataset_name])
        if pending is None:
            return reply
        texts = (reply.body["warning"], pending)
        return replace(
            reply, body={**reply.body, "warning": "; ".join(text for text in texts if text)}
        )

    def unregister(self, caller: Caller, name: str) -> Reply:
        """Remove the MANUAL workflow of a name; a CODE one above it stays in force.

        Raises:
            WorkflowNotFoundError: there is none (800).
            WorkflowPermissionError: only a CODE workflow has this name (803).
        """

        def remove(change: Change) -> Reply:
            if workflow.find(change.tx, name, ownership.MANUAL) is None:
                addressed(change.tx, name, None)
                raise _code_is_read_only()
            is_overridden = workflow.find(change.tx, name, ownership.CODE) is not None
            ownership.remove_manual(change.tx, name, change.now)
            change.audit("workflow.unregister", name)
            self._files.remove_manual(name)
            failpoint("workflow.file_removed")
            message = "The workflow is unregistered."
            if is_overridden:
                message = "The overridden MANUAL workflow is unregistered; CODE stays in force."
            return Reply(200, {"dataset_name": name, "message": message})

        permit = permit_on(caller, Effect.WORKFLOW_UNREGISTER, name)
        reply = self._commands.execute(caller, permit, remove, is_alone=True)
        self._engine.wake()
        return reply

    def pause(
        self,
        caller: Caller,
        name: str,
        *,
        source_type: str | None = None,
        reason: str | None = None,
        until: datetime | None = None,
    ) -> Reply:
        """Stop the schedule, for good or `until` an instant; runs on demand stay possible.

        Raises:
            WorkflowExecutionError: it is paused already (807).
        """
        if until is not None and until <= self._clock.now():
            raise DLIValidationError(
                "The end of a pause must lie ahead.", code=ErrorCode.PARAMETER_INVALID
            )

        def pause(change: Change) -> Reply:
            row = addressed(change.tx, name, source_type)
            if row.paused:
                raise _wrong_state("The workflow is already paused.")
            values = {"paused": True, "pause_reason": reason, "pause_until": until}
            values["paused_by"] = caller.name
            if row.status == "overridden":
                workflow.change(change.tx, row.id, values)
            else:
                ownership.set_paused(change.tx, row, change.now, values)
            change.audit("workflow.pause", name, reason, {"until": wire_time(until)})
            return self._reply(change, row, "The schedule is paused.")

        permit = permit_on(caller, Effect.WORKFLOW_PAUSE, name)
        reply = self._commands.execute(caller, permit, pause)
        self._engine.wake()
        return reply

    def unpause(
        self,
        caller: Caller,
        name: str,
        *,
        source_type: str | None = None,
        reason: str | None = None,
    ) -> Reply:
        """Resume the schedule from now on; ticks of the pause are not made up.

        Raises:
            WorkflowExecutionError: it is not paused (807).
            WorkflowPermissionError: the MANUAL workflow addressed is overridden (806).
        """

        def unpause(change: Change) -> Reply:
            row = addressed(change.tx, name, source_type)
            if row.status == "overridden" or (not row.paused and _hides_manual(change.tx, row)):
                raise WorkflowPermissionError(
                    "The MANUAL workflow is overridden by a CODE workflow.",
                    code=ErrorCode.WORKFLOW_OVERRIDDEN,
                )
            if not row.paused:
                raise _wrong_state("The workflow is not paused.")
            values = {"paused": False, "pause_reason": None, "paused_by": None, "pause_until": None}
            ownership.set_paused(change.tx, row, change.now, values)
            change.audit("workflow.unpause", name, reason)
            return self._reply(change, row, "The schedule is resumed.")

        permit = permit_on(caller, Effect.WORKFLOW_UNPAUSE, name)
        reply = self._commands.execute(caller, permit, unpause)
        self._engine.wake()
        return reply

    def _late_file(self) -> str | None:
        """Why the file of a registration is not there yet: it stands all the same."""
        try:
            self.write_files()
        except ServerError as exc:
            _log.warning("workflow.file_late", extra={"reason": exc.message})
            return f"The workflow is stored here; its file follows. {exc.message}"
        return None

    def write_files(self) -> None:
        """Bring files of MANUAL workflows that are only in the store yet to the spec store."""
        with self._database.read() as tx:
            names = [row.dataset_name for row in workflow.not_stored(tx)]
        for name in names:
            # So that nobody changes or removes it now.
            with self._database.transaction(is_alone=True) as tx:
                row = workflow.find(tx, name, ownership.MANUAL)
                if row is None or row.stored:
                    continue
                failpoint("workflow.without_file")
                self._files.put_manual(name, spec.load(tx, row.spec_hash))
                failpoint("workflow.file_unknown")
                workflow.change(tx, row.id, {"stored": True})

    def _content(
        self, name: str, given: dict[str, Any] | None
    ) -> tuple[dict[str, Any], str | None]:
        if given is not None:
            parsed, warnings = dataset_from_mapping(given, origin="spec")
            if parsed.name != name:
                raise WorkflowRegistrationError("The spec has another name than the workflow.")
            return stored_form(parsed), "; ".join(warnings) or None
        with self._database.read() as tx:
            known = registration.entry(tx, "dataset", name)
            if known is None:
                raise DatasetNotFoundError(
                    "No dataset of this name is registered; send its spec along.", name=name
                )
            return spec.load(tx, known.spec_hash), None

    def _check(self, content: dict[str, Any]) -> None:
        missing = unfillable(DatasetSpec.model_validate(content).parameters)
        if missing:
            names = ", ".join(missing)
            raise WorkflowRegistrationError(f"A schedule cannot fill the parameters: {names}.")
        schedule = content["schedule"]
        interval = latest_interval(schedule["cron"], schedule["timezone"], self._clock.now())
        asked = RunSpec(content, {}, interval.start, interval.end, schedule["timezone"])
        found = self._engine.check(asked, bind=False)
        if not found.ok:
            code = ErrorCode(found.code or ErrorCode.SPEC_INVALID)
            raise DLIValidationError(found.message or "The spec cannot be run.", code=code)

    def _store_manual(
        self, change: Change, content: dict[str, Any], warning: str | None, *, force: bool
    ) -> Reply:
        name = content["name"]
        if workflow.find(change.tx, name, ownership.CODE) is not None:
            raise _code_is_read_only()
        if not force and workflow.find(change.tx, name, ownership.MANUAL) is not None:
            raise WorkflowRegistrationError(
                "A MANUAL workflow of this name exists; use force to replace it.",
                code=ErrorCode.WORKFLOW_ALREADY_EXISTS,
            )
        outcome = ownership.put_manual(change.tx, content, change.now, stored=False)
        change.audit("workflow.register", name, detail={"outcome": outcome})
        row = addressed(change.tx, name, ownership.MANUAL)
        message = (
            "The workflow is registered." if outcome == "added" else "The workflow is replaced."
        )
        body = {**workflow_record(row), "message": message, "warning": warning}
        return Reply(201 if outcome == "added" else 200, body)

    def _reply(self, change: Change, row: WorkflowRow, message: str) -> Reply:
        row = addressed(change.tx, row.dataset_name, row.source_type)
        return Reply(200, {**workflow_record(row), "message": message})


def _permit_writing(caller: Caller, name: str, content: dict[str, Any] | None) -> Permit:
    """That a caller may change what has the name now, and hand it to the team of the spec."""

    def permit(tx: Connection) -> None:
        authorize_writing(tx, caller.actor, Effect.WORKFLOW_REGISTER, name, content)

    return permit


def _with_schedule(
    content: dict[str, Any], asked: dict[str, Any]
) -> tuple[dict[str, Any], str | None]:
    own = content.get("schedule") or {}
    kept = {name: own[name] for name in ("notifications", "catchup") if name in own}
    differing = [
        name
        for name in ("cron", "timezone", "enabled", "retry")
        if own and own.get(name) != asked[name]
    ]
    warning = None
    if differing:
        names = ", ".join(differing)
        warning = f"The spec's own schedule has another {names}; the registered settings are used."
    # Through the model, so that the file, read back, gives the very same content and hash.
    scheduled = DatasetSpec.model_validate({**content, "schedule": {**kept, **asked}})
    return stored_form(scheduled), warning


def _hides_manual(tx: Connection, row: WorkflowRow) -> bool:
    if row.source_type != ownership.CODE:
        return False
    return workflow.find(tx, row.dataset_name, ownership.MANUAL) is not None


def _code_is_read_only() -> WorkflowPermissionError:
    return WorkflowPermissionError("A CODE workflow is changed in Git only; publish it from there.")


def _wrong_state(message: str) -> WorkflowExecutionError:
    return WorkflowExecutionError(message, code=ErrorCode.WORKFLOW_INVALID_STATE)
