"""Publishing: a whole CODE set is checked, then swapped in as one version."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

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
from basecamp.store import code_version, spec, workflow
from dli.exceptions import DLIError, DLIValidationError, ErrorCode
from dli.models.spec import ParameterType
from dli.specs.schedule import latest_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from basecamp.clock import Clock
    from basecamp.specstore.base import SpecStore
    from basecamp.store.database import Database

_SAMPLES: dict[str, Any] = {
    ParameterType.STRING: "x",
    ParameterType.INTEGER: 1,
    ParameterType.FLOAT: 1.5,
    ParameterType.DATE: "2013-01-01",
    ParameterType.BOOLEAN: True,
    ParameterType.LIST: ["x"],
}
"""Values for required parameters, so that SQL which waits for a caller can be checked."""


@dataclass
class Difference:
    """What a publication would do to the set in force; names in order."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


class PublishService:
    """Replaces the CODE set."""

    def __init__(self, database: Database, engine: Engine, files: SpecStore, clock: Clock) -> None:
        self._database = database
        self._engine = engine
        self._files = files
        self._clock = clock
        self._commands = Commands(database, clock)
        self._turn = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call it after each publication."""
        self._listeners.append(listener)

    def publish(
        self,
        caller: Caller,
        *,
        specs: list[dict[str, Any]],
        version: str | None = None,
        dry_run: bool = False,
    ) -> Reply:
        """Check every spec, then bring all of them in force at once; nothing happens on an error.

        Raises:
            DLIValidationError: a spec or its SQL is wrong (203, 202, 204, 805, 801); `errors` tells
                all findings of the specs.
        """
        permit = _permit(caller)
        if (first := self._commands.replay(caller, permit)) is not None and not dry_run:
            return first
        contents, warnings = _parsed(specs)
        with self._database.read() as tx:
            difference = _difference(tx, contents)
            _authorize(tx, caller.actor, contents, difference)
        self._check_sql([contents[name] for name in (*difference.added, *difference.changed)])
        version = version or _version_of(contents)
        if dry_run:
            message = "Dry run: every check passed, nothing was published."
            return _reply(version, difference, warnings, message, dry_run=True)
        with self._turn:  # else one set's undoing or clearing away would hit another's
            reply = self._swap(caller, contents, version, warnings)
        if reply.replayed:
            return reply
        self._engine.wake()
        for listener in self._listeners:
            listener()
        pending = self._engine.put_in_force((*reply.body["added"], *reply.body["changed"]))
        if pending is None:
            return reply
        return replace(reply, body={**reply.body, "warnings": [*reply.body["warnings"], pending]})

    def _swap(
        self, caller: Caller, contents: dict[str, dict[str, Any]], version: str, warnings: list[str]
    ) -> Reply:
        staged = self._files.stage_code(contents)
        failpoint("publish.staged")
        replaced: list[str] = []

        def apply(change: Change) -> Reply:
            difference = _difference(change.tx, contents)
            _authorize(change.tx, caller.actor, contents, difference)
            _apply(change, contents, difference)
            code_version.record(
                change.tx, version, by=caller.name, at=change.now, spec_count=len(contents)
            )
            counts = {name: len(names) for name, names in vars(difference).items()}
            change.audit("code.publish", version, detail=counts)
            replaced.append(self._files.switch_code(staged))
            failpoint("publish.switched")
            return _reply(version, difference, warnings, "The set is published.", dry_run=False)

        try:
            return self._commands.execute(caller, _permit(caller), apply, is_alone=True)
        except BaseException:
            for before in replaced:
                self._files.switch_code(before)
            raise
        finally:
            self._files.prune_code()

    def _check_sql(self, contents: list[dict[str, Any]]) -> None:
        now = self._clock.now()
        for content in contents:
            if content.get("query_statement") is None:
                continue  # may be listed and read, not run
            schedule = content.get("schedule") or {}
            timezone = schedule.get("timezone", "UTC")
            interval = latest_interval(schedule.get("cron", ""), timezone, now)
            samples = _sample_parameters(content)
            asked = RunSpec(content, samples, interval.start, interval.end, timezone)
            found = self._engine.check(asked, bind=False)
            if not found.ok:
                message = f"{content['name']}: {found.message or 'the SQL cannot be used'}"
                code = ErrorCode(found.code or ErrorCode.SPEC_INVALID)
                raise DLIValidationError(message, code=code)


def _parsed(specs: list[dict[str, Any]]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    from basecamp.specstore.document import stored_form  # loads the spec parser
    from dli.specs.parser import dataset_from_mapping

    contents: dict[str, dict[str, Any]] = {}
    warnings: list[str] = []
    findings: list[dict[str, str]] = []
    failed: DLIError | None = None
    for number, given in enumerate(specs):
        try:
            parsed, doubts = dataset_from_mapping(given, f"specs[{number}]")
            if parsed.name in contents:
                raise DLIValidationError(
                    f"specs[{number}]: another spec of the set has the same name",
                    code=ErrorCode.SPEC_INVALID,
                )
            contents[parsed.name] = stored_form(parsed)
            warnings += doubts
        except DLIError as exc:
            failed = failed or exc
            own = exc.details.get("errors") or [{"pointer": "", "message": exc.message}]
            findings += [{**one, "pointer": f"/specs/{number}{one['pointer']}"} for one in own]
    if failed is not None:
        raise DLIValidationError(failed.message, code=failed.code, details={"errors": findings})
    return contents, warnings


def _difference(tx: Connection, contents: dict[str, dict[str, Any]]) -> Difference:
    in_force = {
        row.dataset_name: (row.spec_hash, row.error)
        for row in workflow.of_source(tx, ownership.CODE)
    }
    difference = Difference(removed=sorted(in_force.keys() - contents.keys()))
    for name, content in sorted(contents.items()):
        if name not in in_force:
            difference.added.append(name)
        elif in_force[name] == (spec.content_hash(content), None):
            difference.unchanged.append(name)
        else:
            difference.changed.append(name)
    return difference


def _permit(caller: Caller) -> Permit:
    """That a caller may publish at all; what, is decided by the set."""

    def permit(_: Connection) -> None:
        teams_within(caller.actor, Effect.CODE_PUBLISH)

    return permit


def _authorize(
    tx: Connection, actor: Actor, contents: dict[str, dict[str, Any]], difference: Difference
) -> None:
    """Each change is one on a team's dataset: a set that leaves another team's out removes it."""
    for name in (*difference.added, *difference.changed):
        authorize_writing(tx, actor, Effect.CODE_PUBLISH, name, contents[name])
    for name in difference.removed:
        authorize_named(tx, actor, Effect.CODE_PUBLISH, name)


def _apply(change: Change, contents: dict[str, dict[str, Any]], difference: Difference) -> None:
    for name in (*difference.added, *difference.changed):
        ownership.put_code(change.tx, contents[name], change.now)
        change.audit("code.put", name)
    for name in difference.removed:
        ownership.remove_code(change.tx, name, change.now)
        change.audit("code.remove", name)


def _version_of(contents: dict[str, dict[str, Any]]) -> str:
    hashes = "".join(spec.content_hash(content) for _, content in sorted(contents.items()))
    return hashlib.sha256(hashes.encode()).hexdigest()[:12]


def _sample_parameters(content: dict[str, Any]) -> dict[str, Any]:
    return {
        parameter["name"]: _SAMPLES[parameter.get("type", ParameterType.STRING)]
        for parameter in content.get("parameters", [])
        if parameter.get("required", True) and parameter.get("default") is None
    }


def _reply(
    version: str, difference: Difference, warnings: list[str], message: str, *, dry_run: bool
) -> Reply:
    body = {"version": version, "dry_run": dry_run, **vars(difference)}
    return Reply(200, {**body, "warnings": warnings, "message": message})
