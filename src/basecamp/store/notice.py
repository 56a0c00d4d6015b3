"""Hears from PostgreSQL that another server has changed the store."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import psycopg

from basecamp.store import postgres

if TYPE_CHECKING:
    from collections.abc import Callable

    from basecamp.store.database import Database

_log = logging.getLogger(__name__)
_LOOK_UP_S = 1.0
"""How soon the thread sees that it is to end; notices themselves come at once."""


class Notices:
    """A thread that calls `listener` after each change by others, and after each gap in hearing."""

    def __init__(self, database: Database, listener: Callable[[], None]) -> None:
        self._url = postgres.driver_url(database.url)
        self._own = database.name
        self._listener = listener
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-notices", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._listen()
            except psycopg.Error as exc:
                _log.warning("store.deaf", extra={"error": type(exc).__name__})
                self._ending.wait(_LOOK_UP_S)

    def _listen(self) -> None:
        connect = psycopg.connect(self._url, autocommit=True, **postgres.SOCKET)
        with connect as connection:
            connection.execute(f"LISTEN {postgres.CHANNEL}")
            self._listener()
            while not self._ending.is_set():
                for notice in connection.notifies(timeout=_LOOK_UP_S):
                    if notice.payload != self._own:
                        self._listener()
