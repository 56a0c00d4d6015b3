"""Identifiers of the catalog: project, dataset and table, with or without an engine in front."""

from __future__ import annotations

from dli.exceptions import InvalidIdentifierError, UnsupportedEngineError

__all__ = ["split_identifier"]

_ENGINES = ["bigquery", "trino", "hive"]


def split_identifier(identifier: str | None) -> tuple[str | None, list[str]]:
    """The engine, when four parts name one, and the parts of the name.

    Raises: InvalidIdentifierError (703), UnsupportedEngineError (705).
    """
    if identifier is None:
        return None, []
    parts = identifier.split(".")
    if not all(parts) or len(parts) > 4:
        message = f"Invalid identifier format: '{identifier}'"
        raise InvalidIdentifierError(message, identifier=identifier)
    if len(parts) < 4:
        return None, parts
    engine, *rest = parts
    if engine not in _ENGINES:
        message = f"Engine '{engine}' not supported"
        raise UnsupportedEngineError(message, engine=engine, supported=list(_ENGINES))
    return engine, rest
