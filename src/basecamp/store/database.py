"""Connections: one writer at a time, transactions that end with the block."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import URL, Connection, Engine, select, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from basecamp.store import sqlite
from basecamp.store.convoy import Convoys, NotStoredError, NoTurnError
from basecamp.store.reserve import Reserve
from dli.exceptions import DLIValidationError, ErrorCode, ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


_PROOF_S = 10.0
"""For so long the store counts as one that can be written after it was."""


class StorageFullError(ServerError):
    """There is no space left to store what was asked (DLI-504); nothing of it is stored."""


class Transactions(Protocol):
    """Where a part of the server reads and writes state."""

    def transaction(self, *, is_alone: bool = False) -> AbstractContextManager[Connection]:
        """A writing transaction: stored at the end of the block, rolled back on an error.

        What waits for anything but the store in its block must be `is_alone`.
        """
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """A consistent view that cannot write."""
        ...


class Database:
    """The state store behind one URL; implements `Transactions`.

    Writing transactions come one after the other, on PostgreSQL those of every server: each sees
    all that was stored before it. SQLite gets exactly one writing connection: the WAL then has one
    writer and one checkpointer, and transactions queue in this process instead of failing as busy.
    Those that queue up are stored together, by one commit.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_shared = not url.startswith("sqlite")
        """Whether other servers may work on the same store."""
        self.name = secrets.token_hex(8)
        """Tells this server from others on the same store."""
        self.busy_count = 0
        """How often somebody waited for the store in vain."""
        self._has_failed = False
        self._proven_at = -_PROOF_S
        self._reserve: Reserve | None = None
        if self.is_shared:
            from basecamp.store import postgres  # its driver loads where it is used

            self._postgres = postgres
            self._trust = postgres.Trust()
            self._writer = postgres.engine(url, self._trust, writes=True)
            self._reader = postgres.engine(url, self._trust, writes=False)
            self._lessor = postgres.engine(url, self._trust, writes=True)
        else:
            self._writer = sqlite.engine(url, writes=True)
            self._reader = sqlite.engine(url, writes=False)
        self._convoys = Convoys(
            self._writer,
            self._postgres.BUSY_S if self.is_shared else sqlite.BUSY_S,
            on_begin=self._begin,
            on_end=self._end,
        )

    @classmethod
    def at(cls, path: Path) -> Database:
        """The SQLite store in the file `path`."""
        return cls(URL.create("sqlite", database=str(path)).render_as_string())

    def keep_reserve(self, path: Path) -> None:
        """Hold some space of the disk in a file, for `make_room`."""
        self._reserve = Reserve(path)
        self._reserve.fill()

    def make_room(self) -> bool:
        """Give the reserve up for what must be stored on a full disk; False when there is none.

        It is held again once the store was found to take writes.
        """
        return self._reserve is not None and self._reserve.release()

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations."""
        return self._writer

    @contextmanager
    def transaction(self, *, is_alone: bool = False) -> Iterator[Connection]:
        with self._known_errors(), self._convoys.transaction(is_alone=is_alone) as connection:
            yield connection

    def _begin(self, connection: Connection) -> None:
        if self.is_shared:
            self._postgres.wait_for_turn(connection)

    def _end(self, connection: Connection) -> None:
        if self.is_shared:
            self._postgres.announce(connection, self.name)

    @contextmanager
    def lease(self) -> Iterator[Connection]:
        """A transaction on the row of the leader alone, on PostgreSQL.

        It waits for no other writer and has a connection that no request can take.
        """
        with self._known_errors(), self._lessor.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._known_errors(), self._reader.begin() as connection:
            yield connection

    def ping(self) -> None:
        """Have the store answer something, and see that it can be written now and then.

        Raises:
            ServerError: it does not (DLI-504).
        """
        now = time.monotonic()
        if self._has_failed or now - self._proven_at >= _PROOF_S:
            with self.transaction() as connection:
                connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
            self._has_failed, self._proven_at = False, now
            if self._reserve is not None:
                self._reserve.fill()
        with self.read() as connection:
            connection.execute(select(1))

    def close(self) -> None:
        """Close every connection; SQLite checkpoints its WAL."""
        self._reader.dispose()
        if self.is_shared:
            self._lessor.dispose()
        self._writer.dispose()

    @contextmanager
    def _known_errors(self) -> Iterator[None]:
        try:
            yield
        except (PoolTimeoutError, NoTurnError) as exc:
            self.busy_count += 1
            raise _unavailable("The state store is busy.", busy=True) from exc
        except IntegrityError:
            raise
        except DataError as exc:
            raise DLIValidationError(
                "A value is out of the range that the state store can hold.",
                code=ErrorCode.PARAMETER_INVALID,
            ) from exc
        except DBAPIError as exc:
            raise self._trouble(exc) from exc
        except NotStoredError as exc:
            raise self._trouble(exc.__cause__) from exc

    def _trouble(self, cause: BaseException | None) -> ServerError:
        """What a failure of the database, one's own or that of a common commit, is told as."""
        trouble = None
        if isinstance(cause, DBAPIError):
            trouble = (
                self._postgres.trouble(cause.orig) if self.is_shared else sqlite.trouble(cause)
            )
        if trouble == "busy":
            self.busy_count += 1
            return _unavailable("The state store is busy.", busy=True)
        self._has_failed = True
        if self.is_shared:  # its other sessions have probably ended with this one
            self._trust.end()
        if trouble == "full":
            return StorageFullError(
                "The disk of the state store is full.",
                code=ErrorCode.SERVER_EXECUTION,
                details={"retry_after": 5},
            )
        return _unavailable("The state store is not available.")


def _unavailable(message: str, *, busy: bool = False) -> ServerError:
    return ServerError(
        message, code=ErrorCode.SERVER_EXECUTION, details={"retry_after": 1 if busy else 5}
    )
