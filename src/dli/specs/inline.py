"""A statement of its own: without a spec, with the parameters that it is given."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from dli.exceptions import TranspileError
from dli.models.dataset import DatasetSpec
from dli.models.spec import ExecutionConfig, ParameterType, QueryParameter
from dli.specs.transpile import transpile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dli.specs.statement import Statement
    from dli.specs.substitution import Rules

__all__ = ["INLINE", "by_rules", "inline_spec"]

INLINE = "<inline>"
"""The name of its result."""

_TYPES: list[tuple[type, ParameterType]] = [
    (bool, ParameterType.BOOLEAN),  # before int, which it is as well
    (int, ParameterType.INTEGER),
    (float, ParameterType.FLOAT),
    (date, ParameterType.DATE),
    (list, ParameterType.LIST),
]


def inline_spec(sql: str, parameters: Mapping[str, Any], dialect: str) -> DatasetSpec:
    """A dataset of one statement that declares just what it is given."""
    return DatasetSpec(
        name="inline",
        owner="inline",
        team="inline",
        query_statement=sql,
        parameters=[
            QueryParameter(name=name, type=_type_of(value), required=value is not None)
            for name, value in parameters.items()
            if name not in ("ds", "execution_date")
        ],
        execution=ExecutionConfig(dialect=dialect),
    )


def by_rules(
    statements: Sequence[Statement], rules: Rules, *, dialect: str, strict: bool = False
) -> list[Statement]:
    """The statements as the transpile rules have them; with `strict` a warning is an error.

    Raises: TranspileError (301, 303).
    """
    return [_by_rules(one, rules, dialect, strict=strict) for one in statements]


def _by_rules(statement: Statement, rules: Rules, dialect: str, *, strict: bool) -> Statement:
    done = transpile(statement.sql, read=dialect, write=dialect, rules=rules)
    if strict and done.warnings:
        first = done.warnings[0]
        raise TranspileError(first.message, sql=statement.sql, line=first.line, column=first.column)
    return replace(statement, sql=done.sql)


def _type_of(value: object) -> ParameterType:
    return next((named for kind, named in _TYPES if isinstance(value, kind)), ParameterType.STRING)
