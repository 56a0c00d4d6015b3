"""SQLite as the state store: a write-ahead log, synced at each commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, Engine, ExceptionContext, QueuePool, create_engine, event

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy.exc import DBAPIError

BUSY_S = 5


def engine(url: str, *, writes: bool) -> Engine:
    """The one writing connection, or connections that can only read."""
    created = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1 if writes else 8,
        max_overflow=0,
        pool_timeout=BUSY_S,
        connect_args={"timeout": BUSY_S, "check_same_thread": False, "cached_statements": 256},
    )

    @event.listens_for(created, "connect")
    def _connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        if not writes:
            connection.execute("PRAGMA wal_autocheckpoint=0")
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(created, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    @event.listens_for(created, "handle_error")
    def _distrust(context: ExceptionContext) -> None:
        # What a disk has refused to write or sync, this connection may take for stored.
        if "disk i/o error" in str(context.original_exception).lower():
            context.is_disconnect = True

    return created


def trouble(exc: DBAPIError) -> Literal["busy", "full"] | None:
    """What kind of failure this is, if it has a name."""
    text = str(exc.orig).lower()
    if "locked" in text or "busy" in text:
        return "busy"
    return "full" if "full" in text else None
