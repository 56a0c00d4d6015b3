"""What a quality test must have to be run, and which of its keys have no effect."""

import re
from collections.abc import Iterator

from dli.models.dq import DqTestType
from dli.models.quality import DqTestDefinitionSpec

__all__ = ["DECLARED_KEYS", "HAS_BOUNDS", "idle_keys", "test_problems"]

DECLARED_KEYS = frozenset(DqTestDefinitionSpec.model_fields.keys() - {"params"})
"""Keys of a test that the model types; the others are free."""

_IDENTIFIER = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.]*")
_MAX_IDENTIFIER = 256
_NEEDS_COLUMNS = (DqTestType.NOT_NULL, DqTestType.UNIQUE)
_NEEDS_COLUMN = (DqTestType.ACCEPTED_VALUES, DqTestType.RELATIONSHIPS, DqTestType.RANGE_CHECK)
HAS_BOUNDS = (DqTestType.RANGE_CHECK, DqTestType.ROW_COUNT)
_USED = {
    DqTestType.NOT_NULL: {"columns", "column"},
    DqTestType.UNIQUE: {"columns", "column"},
    DqTestType.ACCEPTED_VALUES: {"column", "values", "values_query"},
    DqTestType.RELATIONSHIPS: {"column", "to", "to_column"},
    DqTestType.RANGE_CHECK: {"column", "min", "max"},
    DqTestType.ROW_COUNT: {"min", "max"},
    DqTestType.SINGULAR: {"sql", "file"},
}
_PARTS = set[str]().union(*_USED.values(), {"expression"})


def test_problems(test: DqTestDefinitionSpec) -> Iterator[str]:
    """What the test lacks to be run."""
    if test.type in _NEEDS_COLUMNS and not (test.columns or test.column):
        yield "columns is missing"
    if test.type in _NEEDS_COLUMN and not test.column:
        yield "column is missing"
    if test.type is DqTestType.ACCEPTED_VALUES and not (test.values or test.values_query):
        yield "values or values_query is missing"
    if test.type is DqTestType.RELATIONSHIPS:
        yield from (f"{key} is missing" for key in ("to", "to_column") if not getattr(test, key))
    if test.type is DqTestType.SINGULAR and not (test.sql or test.file):
        yield "sql or file is missing"
    for name in (*(test.columns or ()), test.column, test.to, test.to_column):
        if name and not (_IDENTIFIER.fullmatch(name) and len(name) <= _MAX_IDENTIFIER):
            yield "a column or table is not a valid identifier"


def idle_keys(test: DqTestDefinitionSpec) -> Iterator[str]:
    for key in sorted(_PARTS - _USED[test.type]):
        if getattr(test, key) is not None:
            yield f"{key} has no effect on a test of the type {test.type.value}"
