"""Connections: one writer at a time on SQLite, transactions that end with the block."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from dli.exceptions import ErrorCode, ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BUSY_S = 5


class Database:
    """The state store behind one URL.

    SQLite gets exactly one writing connection: the WAL then has one writer and one
    checkpointer, and transactions queue in this process instead of failing as busy.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._is_sqlite = url.startswith("sqlite")
        if self._is_sqlite:
            self._writer = _sqlite_engine(url, writes=True)
            self._reader = _sqlite_engine(url, writes=False)
        else:
            self._writer = self._reader = create_engine(url, pool_pre_ping=True)

    @classmethod
    def at(cls, path: Path) -> Database:
        """The SQLite store in the file `path`."""
        return cls(URL.create("sqlite", database=str(path)).render_as_string())

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations."""
        return self._writer

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A writing transaction: committed at the end of the block, rolled back on an error."""
        with _known_errors(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view that cannot write on SQLite."""
        with _known_errors(), self._reader.begin() as connection:
            yield connection

    def ping(self) -> None:
        """Have the store answer something.

        Raises:
            ServerError: it does not (DLI-504).
        """
        with self.read() as connection:
            connection.execute(select(1))

    def close(self) -> None:
        """Close every connection; SQLite checkpoints its WAL."""
        self._reader.dispose()
        self._writer.dispose()


def _sqlite_engine(url: str, *, writes: bool) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1 if writes else 8,
        max_overflow=0,
        pool_timeout=_BUSY_S,
        connect_args={"timeout": _BUSY_S, "check_same_thread": False, "cached_statements": 256},
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        if not writes:
            connection.execute("PRAGMA wal_autocheckpoint=0")
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def _known_errors() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as exc:
        raise _unavailable("The state store is busy.", busy=True) from exc
    except DBAPIError as exc:
        if isinstance(exc.orig, sqlite3.IntegrityError):
            raise
        text = str(exc.orig).lower()
        if "locked" in text or "busy" in text:
            raise _unavailable("The state store is busy.", busy=True) from exc
        if "full" in text:
            raise _unavailable("The disk of the state store is full.") from exc
        raise _unavailable("The state store is not available.") from exc


def _unavailable(message: str, *, busy: bool = False) -> ServerError:
    return ServerError(
        message, code=ErrorCode.SERVER_EXECUTION, details={"retry_after": 1 if busy else 5}
    )
