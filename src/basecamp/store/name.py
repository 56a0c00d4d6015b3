"""How a list is narrowed to part of a dataset's name, in either database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler


class name_contains(FunctionElement[bool]):  # noqa: N801 - reads as the SQL function it stands for
    """`text` is somewhere in the name, in any case and with no wildcard.

    Names are ASCII, of which SQLite's LIKE ignores the case; `lower()` would make it much slower.
    """

    inherit_cache = True

    def __init__(self, column: ColumnElement[str], text: str) -> None:
        super().__init__(column, literal(f"%{_escaped(text)}%"))


@compiles(name_contains)
def _to_sql(element: name_contains, compiler: SQLCompiler, **options: Any) -> str:
    column, pattern = (compiler.process(clause, **options) for clause in element.clauses)
    like = "LIKE" if compiler.dialect.name == "sqlite" else "ILIKE"
    return f"{column} {like} {pattern} ESCAPE '/'"


def _escaped(text: str) -> str:
    for special in "/%_":
        text = text.replace(special, f"/{special}")
    return text
