"""The frame of every change: idempotency, change and audit in one transaction."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from basecamp.failpoint import failpoint
from basecamp.store import audit, idempotency
from basecamp.store.database import StorageFullError
from basecamp.store.idempotency import StoredAnswer
from basecamp.store.origin import Origin
from dli.exceptions import DLIError, DLIValidationError, ErrorCode, WorkflowExecutionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection

    from basecamp.clock import Clock
    from basecamp.services.permission import Actor
    from basecamp.store.database import Database

_KEPT_REFUSALS = frozenset(
    {
        ErrorCode.DATASET_NOT_FOUND,
        ErrorCode.WORKFLOW_NOT_FOUND,
        ErrorCode.WORKFLOW_ALREADY_EXISTS,
        ErrorCode.WORKFLOW_INVALID_STATE,
    }
)
"""Refusals (404, 409) that a repeated request gets again; others may succeed the next time."""

_UNDER_WAY_S = 2


@dataclass(frozen=True)
class Idempotency:
    """The key of a request and what it was sent with."""

    key: str
    method: str
    path: str
    body_sha256: str


@dataclass(frozen=True)
class Caller:
    """Who asks, and the request it belongs to."""

    actor: Actor
    request_id: str | None = None
    idempotency: Idempotency | None = None
    traceparent: str | None = None

    @property
    def name(self) -> str:
        return self.actor.name

    @property
    def origin(self) -> Origin:
        """What a run that is asked for now comes from."""
        return Origin(self.request_id, self.traceparent)


Permit = Callable[["Connection"], None]
"""Raises unless the caller may have the effect; asked before anything else, a stored answer too."""


@dataclass(frozen=True)
class Reply:
    """HTTP status and JSON-ready body of an answer."""

    status: int
    body: dict[str, Any]
    replayed: bool = False


@dataclass(frozen=True)
class Change:
    """A change under way: the transaction, the one instant it happens at, and who makes it."""

    tx: Connection
    now: datetime
    caller: Caller

    def audit(
        self,
        action: str,
        resource: str,
        reason: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Append the audit row of this change."""
        token_id = self.caller.actor.token_id
        by = {} if token_id is None else {"token_id": token_id}
        audit.record(
            self.tx,
            at=self.now,
            actor=self.caller.name,
            action=action,
            resource=resource,
            request_id=self.caller.request_id,
            reason=reason,
            detail={**(detail or {}), **by},
        )


class Commands:
    """Runs changes on one store."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    def replay(self, caller: Caller, permit: Permit) -> Reply | None:
        """The first answer to this key, before any costly check is made again."""
        with self.keeping_refusals(caller), self._database.read() as tx:
            return first_reply(tx, caller, permit)

    def insist(self, caller: Caller, permit: Permit, action: Callable[[Change], Reply]) -> Reply:
        """As `execute`, and on a full disk with the space that is kept for what has to be done."""
        try:
            return self.execute(caller, permit, action)
        except StorageFullError:
            if not self._database.make_room():
                raise
        return self.execute(caller, permit, action)

    def execute(
        self,
        caller: Caller,
        permit: Permit,
        action: Callable[[Change], Reply],
        *,
        is_alone: bool = False,
    ) -> Reply:
        """Do `action` once per idempotency key, all or nothing, if it is permitted.

        An action that waits for anything but the store must be `is_alone`.

        Raises:
            DLIValidationError: the key was used with another body (DLI-204).
            DLIError: what `permit` refuses with.
        """
        failpoint("command.asked")
        with self.keeping_refusals(caller), self._database.transaction(is_alone=is_alone) as tx:
            if (stored := first_reply(tx, caller, permit)) is not None:
                return stored
            now = self._clock.now()
            reply = action(Change(tx, now, caller))
            self._keep(tx, caller, StoredAnswer("", reply.status, reply.body), now)
            failpoint("command.changed")
        failpoint("command.stored")
        return reply

    def carry_out(
        self,
        caller: Caller,
        permit: Permit,
        work: Callable[[], dict[str, Any]],
        note: Callable[[Change], None],
    ) -> Reply:
        """Do work that lies outside of the store and takes its time, once per idempotency key.

        `note` leaves its trace in the audit before it begins; the answer is kept once it is over.
        Work that is cut off, by the caller or by a crash, has no answer: a repetition does it anew.

        Raises:
            WorkflowExecutionError: the first request with this key is under way (DLI-807).
        """
        if (first := self.replay(caller, permit)) is not None:
            return first
        with self._alone(caller), self.keeping_refusals(caller):
            with self._database.transaction() as tx:
                permit(tx)
                note(Change(tx, self._clock.now(), caller))
            body = work()
            # It is done: whether it was permitted is no question any more.
            return self.execute(caller, lambda _: None, lambda _: Reply(200, body))

    def look(self, caller: Caller, permit: Permit, work: Callable[[], dict[str, Any]]) -> Reply:
        """Do work that only reads; a repetition does it anew, but not while the first does.

        Raises:
            WorkflowExecutionError: the first request with this key is under way (DLI-807).
        """
        with self._database.read() as tx:
            permit(tx)
        with self._alone(caller):
            return Reply(200, work())

    @contextmanager
    def _alone(self, caller: Caller) -> Iterator[None]:
        if caller.idempotency is None:
            yield
            return
        scope = _scope(caller.idempotency, caller.name)
        with self._lock:
            if scope in self._under_way:
                raise WorkflowExecutionError(
                    "The first request with this idempotency key is under way.",
                    code=ErrorCode.WORKFLOW_INVALID_STATE,
                    details={"retry_after": _UNDER_WAY_S},
                )
            self._under_way.add(scope)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.discard(scope)

    @contextmanager
    def keeping_refusals(self, caller: Caller) -> Iterator[None]:
        """Let a refusal in the block that is final be the answer to the caller's key."""
        try:
            yield
        except DLIError as exc:
            if exc.code in _KEPT_REFUSALS:
                self._keep_refusal(caller, exc)
            raise

    def _keep(self, tx: Connection, caller: Caller, answer: StoredAnswer, now: datetime) -> None:
        if caller.idempotency is None:
            return
        key = caller.idempotency
        idempotency.save(
            tx, _scope(key, caller.name), answer._replace(body_hash=key.body_sha256), now
        )

    def _keep_refusal(self, caller: Caller, exc: DLIError) -> None:
        if caller.idempotency is None:
            return
        answer = StoredAnswer("", 0, {"code": exc.code.value, "message": exc.message})
        with self._database.transaction() as tx:
            if _stored_row(tx, caller.idempotency, caller.name) is None:
                self._keep(tx, caller, answer, self._clock.now())


def first_reply(tx: Connection, caller: Caller, permit: Permit) -> Reply | None:
    """What was answered to the key of a request that is permitted, if it came before.

    Raises:
        DLIValidationError: the key was used with another body (DLI-204).
        DLIError: what `permit` refuses with, or the first request was refused with.
    """
    permit(tx)
    if caller.idempotency is None:
        return None
    stored = _stored_row(tx, caller.idempotency, caller.name)
    if stored is None:
        return None
    if stored.body_hash != caller.idempotency.body_sha256:
        raise DLIValidationError(
            "This idempotency key was used with another body.", code=ErrorCode.PARAMETER_INVALID
        )
    if stored.status == 0:
        code = ErrorCode(stored.answer["code"])
        raise DLIError(stored.answer["message"], code=code, details={"replayed": True})
    return Reply(stored.status, stored.answer, replayed=True)


def _scope(key: Idempotency, caller_name: str) -> str:
    parts = f"{caller_name}\n{key.method}\n{key.path}\n{key.key}"
    return hashlib.sha256(parts.encode()).hexdigest()


def _stored_row(tx: Connection, key: Idempotency, caller_name: str) -> StoredAnswer | None:
    return idempotency.find(tx, _scope(key, caller_name))
