"""Quality tests: a registry of their specs, and runs of registered and of sent ones."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from basecamp.services.command import Caller, Change, Commands, Reply
from basecamp.services.execution import registered_spec
from basecamp.services.permission import (
    Actor,
    Effect,
    Resource,
    authorize,
    teams_within,
)
from basecamp.services.record import version_records, wire_time
from basecamp.specstore.name import check_name, is_name
from basecamp.store import holding, registration, spec
from basecamp.store.registration import RegistrationFilter
from basecamp.store.spec import load as load_spec
from dli.exceptions import (
    DLIError,
    DLIValidationError,
    ErrorCode,
    QualityNotFoundError,
    QualityTargetNotFoundError,
)
from dli.models.quality import QualitySpec
from dli.specs.quality import quality_from_mapping, require_sound, unknown_tests
from dli.specs.quality_rule import DECLARED_KEYS
from dli.specs.schedule import check_schedule
from dli.warehouse.verdict import Verdicts, infos_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from sqlalchemy import Connection

    from basecamp.clock import Clock
    from basecamp.engines.base import Engine
    from basecamp.store.database import Database
    from basecamp.store.registration import Entry
    from dli.models.quality import QualityInfo

Records = list[dict[str, Any]]

KIND = "quality"
"""Of its rows among the registrations."""

_TIMEOUT_S = 2.0 * 3600
_ID_BYTES = 8


class Registered(NamedTuple):
    """A quality spec of the registry, by its name."""

    name: str
    spec: QualitySpec


Registrations = list[Registered]


class QualityService:
    """Keeps specs as versions; the tests themselves run in the engine's worker."""

    def __init__(self, database: Database, engine: Engine, clock: Clock, *, project: Path) -> None:
        self._database = database
        self._engine = engine
        self._commands = Commands(database, clock)
        self._verdicts = Verdicts(project)
        self._listeners: list[Callable[[], None]] = []

    def register(
        self, caller: Caller, *, spec: dict[str, Any], name: str | None, force: bool
    ) -> Reply:
        """Keep a spec: 201, or 200 when one of this name was there and `force` is given.

        Raises:
            QualitySpecParseError: it cannot be used (602).
            WorkflowRegistrationError: its schedule cannot (805).
            DLIValidationError: one of this name is there and `force` was not given (201).
        """
        teams_within(caller.actor, Effect.QUALITY_REGISTER)
        parsed = quality_from_mapping(spec)
        if parsed.schedule is not None:
            check_schedule(parsed.schedule.cron, parsed.schedule.timezone)
        require_sound(parsed)
        content = _content(parsed, name or parsed.target.name)

        def permit(tx: Connection) -> None:
            _authorize(tx, caller.actor, Effect.QUALITY_REGISTER, parsed)
            for before in _newest(tx, content["name"]):
                _authorize(tx, caller.actor, Effect.QUALITY_REGISTER, before)

        reply = self._commands.execute(caller, permit, lambda at: _kept(at, content, force=force))
        for listener in self._listeners:
            listener()
        return reply

    def list(
        self,
        actor: Actor,
        *,
        target_type: str | None = None,
        target: str | None = None,
        status: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[Records, int]:
        """One page of tests in the order of their specs' names, and the number of all matches."""
        found = [
            info
            for info in self._infos(actor)
            if target_type in (None, info.target_type)
            and status in (None, info.status)
            and (target or "") in info.target_name
        ]
        return [info.model_dump(mode="json") for info in found[offset : offset + limit]], len(found)

    def get(self, actor: Actor, name: str) -> dict[str, Any]:
        """A test with its newest result.

        Raises:
            QualityNotFoundError: there is none of this name (606).
        """
        return self._info(actor, name).model_dump(mode="json")

    def history(
        self, actor: Actor, name: str, *, limit: int = 50, offset: int = 0
    ) -> tuple[Records, int]:
        """The last results of a test, newest first.

        Raises:
            QualityNotFoundError: there is none of this name (606).
        """
        info = self._info(actor, name)
        found = self._verdicts.history(info.target_urn, info.name)
        records = [
            {**one, "finished_at": wire_time(datetime.fromisoformat(one["finished_at"]))}
            for one in found[offset : offset + limit]
        ]
        return records, len(found)

    def versions(
        self, actor: Actor, name: str, *, limit: int = 50, offset: int = 0
    ) -> tuple[Records, int]:
        """Registered versions of a spec, newest first.

        Raises:
            QualityNotFoundError: there is no spec of this name (606).
        """
        teams_within(actor, Effect.QUALITY_READ)
        with self._database.read() as tx:
            rows = registration.versions(tx, KIND, name) if is_name(name) else []
            for newest in _newest(tx, name) if rows else ():
                _authorize(tx, actor, Effect.QUALITY_READ, newest, hidden=_unknown)
        if not rows:
            raise _unknown()
        return version_records(rows[offset : offset + limit]), len(rows)

    def run_sent(
        self,
        caller: Caller,
        *,
        spec: dict[str, Any],
        tests: Sequence[str],
        parameters: dict[str, Any],
        fail_fast: bool,
        withdrawn: Future[None],
    ) -> Reply:
        """Run the tests of a spec that the caller has brought along.

        Raises:
            QualitySpecParseError: it cannot be used (602).
            DLIValidationError: it has no such test, or does not declare a parameter (204).
            QualityTargetNotFoundError: there is nothing to test (603).
        """
        teams_within(caller.actor, Effect.QUALITY_SEND)
        return self._run(
            caller,
            Effect.QUALITY_SEND,
            quality_from_mapping(spec),
            tests,
            parameters=parameters,
            fail_fast=fail_fast,
            withdrawn=withdrawn,
        )

    def run_registered(
        self, caller: Caller, name: str, *, parameters: dict[str, Any], withdrawn: Future[None]
    ) -> Reply:
        """Run a test by its name, or all tests of a spec by that of the spec.

        Raises:
            QualityNotFoundError: there is neither (606).
            DLIValidationError: several targets have a test of this name (204).
        """
        effect = Effect.QUALITY_RUN
        found, tests = self._selected(caller.actor, effect, name)
        return self._run(caller, effect, found, tests, parameters=parameters, withdrawn=withdrawn)

    def run_test(
        self,
        caller: Caller,
        *,
        resource_name: str,
        test: Mapping[str, Any],
        params: Mapping[str, Any],
        withdrawn: Future[None],
    ) -> Reply:
        """Run one test that needs no spec, on a dataset, or on a metric (`metric:name`).

        `params` has the other keys of the test; what is no key of it is a value for its SQL.

        Raises:
            QualitySpecParseError: it cannot be used (602).
            QualityTargetNotFoundError: there is nothing to test (603).
        """
        teams_within(caller.actor, Effect.QUALITY_SEND)
        kind, _, name = resource_name.rpartition(":")
        target = {"type": kind or "dataset", "name": name}
        keys = {key: value for key, value in params.items() if key in DECLARED_KEYS}
        values = {key: value for key, value in params.items() if key not in DECLARED_KEYS}
        whole = {**keys, **test, "params": {**values, **params.get("params", {})}}
        if len(test.get("columns", ())) == 1:
            whole.setdefault("column", test["columns"][0])
        made = quality_from_mapping(
            {"target": target, "metadata": {"owner": caller.name}, "tests": [whole]}
        )
        effect = Effect.QUALITY_SEND
        reply = self._run(caller, effect, made, (), parameters={}, withdrawn=withdrawn)
        return Reply(200, reply.body["test_results"][0])

    def run_kept(self, content: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The result of all tests of a spec as the registry has it.

        Raises:
            QualityTargetNotFoundError: there is nothing to test (603).
            DLIError: the tests could not run.
        """
        return self._result(QualitySpec.model_validate(content), (), parameters)

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have it called after each registration."""
        self._listeners.append(listener)

    def registered(self) -> Registrations:
        """All specs by name, the newest version of each."""
        with self._database.read() as tx:
            return list(_registered(tx))

    def _run(
        self,
        caller: Caller,
        effect: Effect,
        wanted: QualitySpec,
        tests: Sequence[str],
        *,
        parameters: dict[str, Any],
        withdrawn: Future[None],
        fail_fast: bool = False,
    ) -> Reply:
        if unknown_tests(wanted, tests):
            message = "tests: the spec has no test of one of these names"
            raise DLIValidationError(message, code=ErrorCode.PARAMETER_INVALID)

        def work() -> dict[str, Any]:
            return self._result(wanted, tests, parameters, fail_fast=fail_fast, withdrawn=withdrawn)

        def permit(tx: Connection) -> None:
            _authorize(tx, caller.actor, effect, wanted, hidden=_no_such_target)

        return self._commands.look(caller, permit, work)

    def _result(
        self,
        wanted: QualitySpec,
        tests: Sequence[str],
        parameters: Mapping[str, Any],
        *,
        fail_fast: bool = False,
        withdrawn: Future[None] | None = None,
    ) -> dict[str, Any]:
        arguments = {
            "spec": wanted.model_dump(mode="json", exclude_none=True),
            "tests": list(tests),
            "parameters": dict(parameters),
            "fail_fast": fail_fast,
            "target": self._target(wanted),
            "execution_id": f"quality_{secrets.token_hex(_ID_BYTES)}",
        }
        return self._engine.ask("quality.run", arguments, timeout_s=_TIMEOUT_S, withdrawn=withdrawn)

    def _target(self, wanted: QualitySpec) -> dict[str, Any] | None:
        with self._database.read() as tx:
            return registered_spec(tx, wanted.target.type.value, wanted.target.name)

    def _shown(self, actor: Actor, effect: Effect) -> Registrations:
        """Specs on what a team of the caller holds."""
        teams = teams_within(actor, effect)
        with self._database.read() as tx:
            found = list(_registered(tx))
            if teams is None:
                return found
            held = holding.names(tx, teams)
        return [one for one in found if _target_of(one.spec) in held]

    def _infos(self, actor: Actor) -> Iterator[QualityInfo]:
        for one in self._shown(actor, Effect.QUALITY_READ):
            yield from infos_of(one.spec, self._verdicts)

    def _info(self, actor: Actor, name: str) -> QualityInfo:
        found = next((info for info in self._infos(actor) if _is_called(info, name)), None)
        if found is None:
            raise _unknown()
        return found

    def _selected(
        self, actor: Actor, effect: Effect, name: str
    ) -> tuple[QualitySpec, Sequence[str]]:
        specs = self._shown(actor, effect)
        whole = next((one.spec for one in specs if one.name == name), None)
        if whole is not None:
            return whole, ()
        found = [
            (one.spec, info.name)
            for one in specs
            for info in infos_of(one.spec, self._verdicts)
            if _is_called(info, name)
        ]
        if not found:
            raise _unknown()
        if len(found) > 1:
            message = "Several specs have a test of this name; write dataset:TARGET:TEST."
            raise DLIValidationError(message, code=ErrorCode.PARAMETER_INVALID)
        return found[0][0], [found[0][1]]


def _newest(tx: Connection, name: str) -> Iterator[QualitySpec]:
    """The spec that a name stands for now, if any."""
    for row in registration.versions(tx, KIND, name)[:1]:
        yield QualitySpec.model_validate(load_spec(tx, row.spec_hash)["spec"])


def _target_of(wanted: QualitySpec) -> tuple[str, str]:
    return wanted.target.type.value, wanted.target.name


def _authorize(
    tx: Connection,
    actor: Actor,
    effect: Effect,
    wanted: QualitySpec,
    *,
    hidden: Callable[[], DLIError] | None = None,
) -> None:
    """Tests are the team's that holds what they look at, whoever wrote them."""
    team = None if actor.is_everywhere else holding.team(tx, *_target_of(wanted))
    authorize(actor, effect, Resource(team, hidden))


def _no_such_target() -> DLIError:
    return QualityTargetNotFoundError("There is nothing of this name to test.")


def _is_called(info: QualityInfo, name: str) -> bool:
    """By its own name, or with its target in front where others have the same."""
    return name in (info.name, f"{info.target_urn}:{info.name}")


def _content(parsed: QualitySpec, name: str) -> dict[str, Any]:
    """What is stored and hashed."""
    check_name(name)
    about = parsed.metadata
    return {
        "name": name,
        "owner": about.owner,
        "team": about.team or "",
        "description": about.description or "",
        "tags": about.tags,
        "spec": parsed.model_dump(mode="json", exclude_none=True),
    }


def _kept(change: Change, content: dict[str, Any], *, force: bool) -> Reply:
    tx, name = change.tx, content["name"]
    old = registration.versions(tx, KIND, name)
    if old and not force:
        raise DLIValidationError(
            "A quality spec of this name is registered; use force to replace it.",
            code=ErrorCode.VALIDATION_FAILED,
            details={"conflict": True},
        )
    digest = spec.save(tx, content, change.now)
    if not old or old[0].spec_hash != digest:
        author = change.caller.name
        version = registration.add(tx, KIND, content, digest, by=author, at=change.now)
        change.audit("quality.register", name, detail={"version": version})
    found = registration.entry(tx, KIND, name)
    assert found is not None
    return Reply(200 if old else 201, _record(found, content))


def _record(found: Entry, content: dict[str, Any]) -> dict[str, Any]:
    parsed = QualitySpec.model_validate(content["spec"])
    return {
        "name": found.name,
        "target_urn": parsed.target_urn,
        "owner": content["owner"],
        "team": content["team"],
        "tests": [test.name for test in parsed.tests],
        "created_at": wire_time(found.created_at),
        "updated_at": wire_time(found.updated_at),
        "spec_hash": found.spec_hash,
        "registered_version": found.version,
        "registered_by": found.author,
    }


def _registered(tx: Connection) -> Iterator[Registered]:
    for found in registration.entries(tx, KIND, RegistrationFilter()):
        content = spec.load(tx, found.spec_hash)
        yield Registered(found.name, QualitySpec.model_validate(content["spec"]))


def _unknown() -> DLIError:
    return QualityNotFoundError("There is no such quality test.")
