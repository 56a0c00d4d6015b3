"""PostgreSQL as the state store: writers of all servers take turns, frozen ones lose theirs."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, NoSuchModuleError

from dli.exceptions import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

CHANNEL = "basecamp"
"""Where servers tell each other that they have changed the store."""

_TURN = 0x62617365  # "base": any number that no other program on the same database takes
BUSY_S = 5
_TRUSTED_S = 1.0
_USED_AT = "basecamp.used_at"
_SESSION = {
    "lock_timeout": "5s",
    "statement_timeout": "30s",
    # A server that was frozen inside a transaction holds the others up for no longer than this.
    "idle_in_transaction_session_timeout": "4s",
    "timezone": "UTC",
}
_READ_ONLY = {
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "repeatable\\ read",
}
SOCKET: dict[str, Any] = {
    "connect_timeout": BUSY_S,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
BUSY_STATES = ("55P03", "57014", "25P03", "40001", "40P01")
_FULL_STATES = ("53100",)


def parsed(url: str) -> URL:
    """The URL with our driver.

    Raises:
        ConfigurationError: it is none of a PostgreSQL database (DLI-001); it is not repeated.
    """
    try:
        found = make_url(url)
    except ArgumentError as exc:
        raise _refused() from exc
    if found.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise _refused()
    return found.set(drivername="postgresql+psycopg")


def driver_url(url: str) -> str:
    """The URL as the driver itself takes it, password and all."""
    return parsed(url).set(drivername="postgresql").render_as_string(hide_password=False)


class Trust:
    """Which connections are used without a try: those that were used a moment ago.

    To try each of them each time costs a request on a busy server as much as what it asks.
    """

    def __init__(self) -> None:
        self._since = -math.inf

    def end(self) -> None:
        """A connection was found broken: try all others before they are used."""
        self._since = time.monotonic()

    def covers(self, used_at: float) -> bool:
        return used_at > max(self._since, time.monotonic() - _TRUSTED_S)


def engine(url: str, trust: Trust, *, writes: bool) -> Engine:
    """The one writing connection of this server, or connections that read in one snapshot each.

    Raises:
        ConfigurationError: the URL cannot be used, or the driver is not installed (DLI-001).
    """
    session = _SESSION | ({} if writes else _READ_ONLY)
    options = " ".join(f"-c {name}={value}" for name, value in session.items())
    try:
        created = create_engine(
            parsed(url),
            poolclass=QueuePool,
            pool_size=1 if writes else 8,
            max_overflow=0,
            pool_timeout=BUSY_S,
            connect_args={"options": options, "application_name": "basecamp", **SOCKET},
        )
    except (ImportError, NoSuchModuleError) as exc:
        raise ConfigurationError(
            "PostgreSQL needs its driver: install the extra, dli[postgres]."
        ) from exc
    _try_before_use(created, trust)
    return created


def _try_before_use(of: Engine, trust: Trust) -> None:
    """Replace a connection that went unnoticed, as with a restart, instead of failing with it."""

    @event.listens_for(of, "checkin")
    def _returned(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info[_USED_AT] = time.monotonic()

    @event.listens_for(of, "checkout")
    def _taken(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        if trust.covers(record.info.get(_USED_AT, math.inf)):
            return
        try:
            of.dialect.do_ping(connection)
        except of.dialect.loaded_dbapi.Error as exc:
            raise InvalidatePoolError from exc


def wait_for_turn(tx: Connection) -> None:
    """Wait until every other writer of every server has ended its transaction.

    State is written in many places that read first; one at a time, none of them can be overtaken.
    The turn ends with the transaction, or with the session of a server that died.
    """
    tx.execute(text(f"SELECT pg_advisory_xact_lock({_TURN})"))


def announce(tx: Connection, name: str) -> None:
    """Tell the other servers, once this transaction is stored."""
    tx.execute(text("SELECT pg_notify(:channel, :name)"), {"channel": CHANNEL, "name": name})


def trouble(error: BaseException | None) -> Literal["busy", "full"] | None:
    """What kind of failure this is, if it has a name."""
    state = getattr(error, "sqlstate", None)
    if state in BUSY_STATES:
        return "busy"
    return "full" if state in _FULL_STATES else None


def _refused() -> ConfigurationError:
    return ConfigurationError(
        "BASECAMP_DATABASE_URL must look like postgresql://user:password@host:5432/database."
    )
