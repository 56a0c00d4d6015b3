"""Writing transactions that come close together, stored by one commit: one sync of the disk."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from basecamp.failpoint import failpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from sqlalchemy import Connection, Engine

_LONGEST_S = 0.05
"""After this a convoy takes nobody on any more: those in it wait for its commit."""

_BEGIN = "SAVEPOINT follower"
_UNDO = "ROLLBACK TO SAVEPOINT follower"
_MEMORY = "basecamp.convoy"


def remembered(tx: Connection) -> dict[str, Any]:
    """What those who wrote in this transaction of the database before know of it.

    They write one after the other, so it stays true; it is empty again after a block was undone.
    """
    found: dict[str, Any] = tx.info.get(_MEMORY, {})
    return found


class NoTurnError(Exception):
    """Others wrote for so long that the turn did not come in time."""


class NotStoredError(Exception):
    """The commit that was to store this transaction, among others, has failed; its cause is why."""


class _Convoy:
    """One transaction of the database and all who write in it, one after the other."""

    def __init__(self, connection: Connection, *, is_open: bool) -> None:
        self.connection = connection
        self.is_open = is_open
        self.is_empty = True
        self.until = time.monotonic() + _LONGEST_S
        self.error: BaseException | None = None
        self.is_over = threading.Event()


class _Place:
    """A place in the line; the convoy that is joined at its front, or None to begin one."""

    def __init__(self, *, is_alone: bool) -> None:
        self.is_alone = is_alone
        self.convoy: _Convoy | None = None
        self.is_called = threading.Lock()
        self.is_called.acquire()


class Convoys:
    """Lets one write at a time, in the order in which they came.

    Who finds others waiting leaves the commit to them: the last one, or the first after a while,
    commits for all, and nobody's block ends before. A block that fails is undone by itself.
    """

    def __init__(
        self,
        engine: Engine,
        patience_s: float,
        *,
        on_begin: Callable[[Connection], None],
        on_end: Callable[[Connection], None],
    ) -> None:
        """`on_begin` and `on_end` are called in each transaction of the database."""
        self._engine = engine
        self._patience_s = patience_s
        self._on_begin = on_begin
        self._on_end = on_end
        self._lock = threading.Lock()
        self._line: deque[_Place] = deque()
        self._is_taken = False

    @contextmanager
    def transaction(self, *, is_alone: bool) -> Iterator[Connection]:
        """A turn to write; `is_alone` for who takes long, so that nobody waits for their commit.

        Raises:
            NoTurnError: it did not come in time.
            NotStoredError: another one's commit, which was to store this too, failed.
        """
        convoy = self._join(is_alone=is_alone)
        is_first = convoy.is_empty
        try:
            yield convoy.connection
        except BaseException as exc:
            self._undo(convoy, exc, is_first=is_first)
            raise
        convoy.is_empty = False
        if self._hand_on(convoy):
            convoy.is_over.wait()
            if convoy.error is not None:
                raise NotStoredError from convoy.error
        else:
            self._commit(convoy)

    def _join(self, *, is_alone: bool) -> _Convoy:
        convoy = self._wait_for_turn(is_alone=is_alone)
        if convoy is None:
            return self._begin(is_open=not is_alone)
        try:
            convoy.connection.exec_driver_sql(_BEGIN)
        except BaseException as exc:
            self._fail(convoy, exc)
            raise
        return convoy

    def _wait_for_turn(self, *, is_alone: bool) -> _Convoy | None:
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return None
            place = _Place(is_alone=is_alone)
            self._line.append(place)
        if not place.is_called.acquire(timeout=self._patience_s):
            with self._lock:
                if place in self._line:
                    self._line.remove(place)
                    raise NoTurnError
        return place.convoy

    def _begin(self, *, is_open: bool) -> _Convoy:
        connection: Connection | None = None
        try:
            connection = self._engine.connect()
            connection.begin()
            connection.info[_MEMORY] = {}
            self._on_begin(connection)
        except BaseException:
            if connection is not None:
                connection.close()
            self._call_next()
            raise
        return _Convoy(connection, is_open=is_open)

    def _hand_on(self, convoy: _Convoy) -> bool:
        """Let the next in line write in the same transaction, if there is one and it may."""
        if not convoy.is_open or time.monotonic() > convoy.until:
            return False
        with self._lock:
            if not self._line or self._line[0].is_alone:
                return False
            place = self._line.popleft()
        place.convoy = convoy
        place.is_called.release()
        return True

    def _undo(self, convoy: _Convoy, exc: BaseException, *, is_first: bool) -> None:
        """Take back what one block wrote and store what those before it did."""
        if is_first:
            self._fail(convoy, exc)
            return
        try:
            convoy.connection.exec_driver_sql(_UNDO)
            remembered(convoy.connection).clear()
        except Exception:  # noqa: BLE001 - the database has dropped the whole transaction
            self._fail(convoy, exc)
            return
        if not self._hand_on(convoy):
            self._commit(convoy)

    def _commit(self, convoy: _Convoy) -> None:
        try:
            self._on_end(convoy.connection)
            failpoint("store.committing")
            convoy.connection.commit()
            failpoint("store.committed")
        except BaseException as exc:
            self._fail(convoy, exc)
            raise
        self._end(convoy)

    def _fail(self, convoy: _Convoy, exc: BaseException) -> None:
        convoy.error = exc
        self._end(convoy)

    def _end(self, convoy: _Convoy) -> None:
        """Give the connection back, which rolls back what was not committed, and the turn."""
        try:
            convoy.connection.close()
        finally:
            self._call_next()
            convoy.is_over.set()

    def _call_next(self) -> None:
        with self._lock:
            self._is_taken = bool(self._line)
            if self._line:
                self._line.popleft().is_called.release()
