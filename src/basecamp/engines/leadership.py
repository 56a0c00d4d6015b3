"""Which of several servers on one store schedules, hands out and reconciles: the leader alone."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from basecamp.store import leader
from basecamp.store.database import Transactions
from dli.exceptions import DLIError, ErrorCode, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from basecamp.store.database import Database

_log = logging.getLogger(__name__)
LEASE_S = 5.0
"""A leader that is silent for so long has lost its office as soon as another server asks for it."""
_RENEW_S = 1.0


class NotLeaderError(ServerError):
    """Another server leads: what this one wanted to store as the leader is refused."""


class Leadership(Transactions, Protocol):
    """The office of the leader; `transaction` stores only what the leader of this term stores."""

    @property
    def term(self) -> int | None:
        """The number of the term in which this server leads; `None` when another one does."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether other servers may change the store, too."""
        ...


class SoleLeadership:
    """The only server on a store leads for ever."""

    term: int | None = 0
    is_shared: bool = False

    def __init__(self, database: Transactions) -> None:
        self._database = database

    def transaction(self, *, is_alone: bool = False) -> AbstractContextManager[Connection]:
        return self._database.transaction(is_alone=is_alone)

    def read(self) -> AbstractContextManager[Connection]:
        return self._database.read()


class ElectedLeadership:
    """One leader among the servers on a PostgreSQL, by a lease that it renews."""

    is_shared: bool = True

    def __init__(self, database: Database, *, lease_s: float = LEASE_S) -> None:
        self._database = database
        self._lease_s = lease_s
        self._term: int | None = None
        self._renewed_at = 0.0
        self._listeners: list[Callable[[], None]] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leadership", daemon=True)

    @property
    def term(self) -> int | None:
        return self._term

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener`, from another thread, whenever this server begins or ceases to lead."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Run for office."""
        self._campaign()
        self._thread.start()

    def stop(self) -> None:
        """Give the office back, so that another server need not wait for the lease to end."""
        self._ending.set()
        self._thread.join()
        if self._term is None:
            return
        try:
            with self._database.lease() as tx:
                leader.release(tx, self._database.name, self._term)
        except DLIError as exc:
            _log.warning("leader.not_released", extra={"code": exc.code.value})
        self._term = None

    @contextmanager
    def transaction(self, *, is_alone: bool = False) -> Iterator[Connection]:
        """A writing transaction of the leader.

        Raises:
            NotLeaderError: this server does not lead, or no longer; nothing was written.
        """
        term = self._term
        if term is None:
            raise _not_leading()
        with self._database.transaction(is_alone=is_alone) as tx:
            # A new term begins in a writing transaction, too, so none can begin before ours ends.
            if not leader.is_in_office(tx, self._database.name, term):
                self._change(None)
                raise _not_leading()
            yield tx

    def read(self) -> AbstractContextManager[Connection]:
        return self._database.read()

    def _run(self) -> None:
        while not self._ending.wait(_RENEW_S):
            self._campaign()

    def _campaign(self) -> None:
        asked_at = time.monotonic()
        try:
            term = self._renewed() if self._term is not None else self._taken()
        except DLIError as exc:
            _log.warning("leader.store_failed", extra={"code": exc.code.value})
            if asked_at - self._renewed_at > self._lease_s:
                self._change(None)
            return
        self._renewed_at = asked_at
        self._change(term)

    def _renewed(self) -> int | None:
        term = self._term
        if term is None:
            return None
        with self._database.lease() as tx:
            is_renewed = leader.renew(tx, self._database.name, term, self._lease_s)
        return term if is_renewed else None

    def _taken(self) -> int | None:
        with self._database.read() as tx:
            if not leader.is_vacant(tx):
                return None
        with self._database.transaction() as tx:
            return leader.take(tx, self._database.name, self._lease_s)

    def _change(self, term: int | None) -> None:
        if term == self._term:
            return
        self._term = term
        _log.info("leader.begins" if term is not None else "leader.ends", extra={"term": term})
        for listener in self._listeners:
            listener()


def leadership_on(database: Database) -> SoleLeadership | ElectedLeadership:
    """How this server comes to lead on its store."""
    return ElectedLeadership(database) if database.is_shared else SoleLeadership(database)


def _not_leading() -> NotLeaderError:
    return NotLeaderError("Another server leads.", code=ErrorCode.SERVER_EXECUTION)
