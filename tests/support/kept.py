"""The state store of a server as seen from beside it, on whichever database it is."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

__all__ = ["Kept"]


class Kept:
    """Reads and prepares rows with plain SQL; `?` marks a value."""

    def __init__(self, file: Path, url: str | None = None) -> None:
        self._file = file
        self.url = url

    @property
    def variables(self) -> dict[str, str]:
        """What a server has to be started with to keep its state here."""
        if self.url is None:
            return {}
        specs = (self._file.parent / "store").as_uri()
        return {"BASECAMP_DATABASE_URL": self.url, "BASECAMP_SPEC_STORE_URL": specs}

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        if self.url is None:
            lite = sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=30)
            try:
                return list(lite.execute(statement, values))
            finally:
                lite.close()
        with psycopg.connect(self.url, autocommit=True) as connection:
            return list(connection.execute(_marked(statement), values))

    def change(self, statement: str, values: Sequence[object] = ()) -> None:
        """While no server works on it."""
        if self.url is None:
            lite = sqlite3.connect(self._file)
            try:
                with lite:
                    lite.execute(statement, values)
            finally:
                lite.close()
            return
        with psycopg.connect(self.url) as connection:
            connection.execute(_marked(statement), values)

    def is_whole(self) -> bool:
        """Whether the database itself finds nothing wrong with its files."""
        return self.url is not None or self.rows("PRAGMA integrity_check") == [("ok",)]


def _marked(statement: str) -> Any:
    return statement.replace("?", "%s")
