"""What the embedded engine is allowed to be asked, by its own reading of the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dli.exceptions import ErrorCode, ExecutionError

if TYPE_CHECKING:
    import duckdb

__all__ = ["ROW_WRITERS", "checked_kind", "parsed"]

ROW_WRITERS: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE_INTO"})
_ALLOWED: Final = ROW_WRITERS | {"SELECT", "CREATE", "DROP", "ALTER", "VACUUM"}
"""`VACUUM` is also how the engine reads `ANALYZE`."""


def parsed(engine: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The one statement of the text.

    Specs are checked long before; this holds whatever way a text came here. It keeps out what the
    locked configuration does not: COPY into a data folder, ATTACH, COMMIT inside a run.
    """
    statements = engine.extract_statements(sql)
    if len(statements) != 1 or statements[0].type.name not in _ALLOWED:
        raise ExecutionError(
            "Only one statement of SELECT, INSERT, UPDATE, DELETE, MERGE, CREATE, ALTER, DROP or "
            "ANALYZE is allowed",
            code=ErrorCode.EXECUTION_PERMISSION,
        )
    return statements[0]


def checked_kind(engine: duckdb.DuckDBPyConnection, sql: str) -> str:
    return parsed(engine, sql).type.name
