"""SQL texts: parsed once, checked to be one harmless kind of statement, translated, and read."""

import logging
import re
from collections.abc import Iterator
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError, TokenError, UnsupportedError

from dli.exceptions import DLIValidationError, ErrorCode, TranspileError
from dli.specs.origin import Origin

__all__ = [
    "check_query",
    "check_statement",
    "parse_script",
    "same_structure",
    "tables_read",
    "tables_written",
    "translate",
]

# Its warnings quote the SQL, which belongs in no log; what it warns of is refused below.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_WRITES = (exp.Insert, exp.Merge, exp.Update, exp.Delete)
_STATEMENTS = (exp.Query, exp.Values, *_WRITES, exp.TruncateTable, exp.Analyze, exp.Comment)
_DEFINITIONS = (exp.Create, exp.Drop, exp.Alter)
_DEFINED_KINDS = ("TABLE", "VIEW", "SCHEMA")
_ALLOWED = (
    "SELECT, INSERT, MERGE, UPDATE, DELETE, TRUNCATE, ANALYZE, COMMENT, "
    "or CREATE, ALTER, DROP of a table, view or schema"
)


def check_statement(
    sql: str, dialect: str, *, origin: Origin = Origin("SQL"), only_query: bool = False
) -> exp.Expression:
    """The one statement of this text. The tree is shared: copy it before changing it.

    Raises: DLIValidationError DLI-202 for a text that cannot be parsed, with line and column;
    DLI-203 for none or several statements, or one of a kind that specs may not use.
    """
    statements = parse_script(sql, dialect, origin=origin)
    if len(statements) != 1:
        count = "is empty" if not statements else f"holds {len(statements)} statements"
        raise _refused(f"{origin}: the SQL {count}; exactly one is needed")
    statement = statements[0]
    if only_query and not isinstance(statement, exp.Query):
        raise _refused(f"{origin}: a query is needed")
    if not _is_allowed(statement):
        raise _refused(f"{origin}: this kind of statement is not allowed; use {_ALLOWED}")
    return statement


def _is_allowed(statement: exp.Expression) -> bool:
    if isinstance(statement, _DEFINITIONS):
        return str(statement.args.get("kind")).upper() in _DEFINED_KINDS
    return isinstance(statement, _STATEMENTS)


def parse_script(
    sql: str, dialect: str, *, origin: Origin = Origin("SQL")
) -> tuple[exp.Expression, ...]:
    """All statements of a text, none for one of comments only.

    Raises: DLIValidationError DLI-202.
    """
    parsed = _parse(sql, dialect)
    if isinstance(parsed, _Fault):
        raise DLIValidationError(
            parsed.told_at(origin),
            code=ErrorCode.SQL_SYNTAX_ERROR,
            errors=[parsed.told_at(origin)],
        )
    return parsed


def translate(sql: str, read: str, write: str) -> str:
    """The one statement of this text in another dialect; the same dialect keeps it as it is.

    Raises: DLIValidationError as `check_statement`; TranspileError DLI-301 for what the other
    dialect cannot say.
    """
    return sql if read == write else _translated(sql, read, write)


@lru_cache(maxsize=512)
def _translated(sql: str, read: str, write: str) -> str:
    statement = check_statement(sql, read)
    try:
        return statement.sql(dialect=write, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise TranspileError(f"{write} cannot express this SQL: {error}") from None
    except (SqlglotError, RecursionError, ValueError):
        raise TranspileError(f"the SQL cannot be translated to {write}") from None


def tables_read(sql: str, dialect: str) -> list[str]:
    """Names of the tables that the one statement of this text reads, in order, without CTEs."""
    statement = check_statement(sql, dialect)
    targets = {id(table) for table in _targets(statement)}
    tables = (table for table in statement.find_all(exp.Table) if id(table) not in targets)
    return list(dict.fromkeys(_name(table) for table in tables if _is_stored(table)))


def tables_written(sql: str, dialect: str) -> list[str]:
    """Names of the tables that the one statement of this text fills, changes, makes or drops."""
    return list(dict.fromkeys(map(_name, _targets(check_statement(sql, dialect)))))


def _targets(statement: exp.Expression) -> Iterator[exp.Table]:
    if isinstance(statement, exp.TruncateTable):
        yield from (table for table in statement.expressions if isinstance(table, exp.Table))
    elif isinstance(statement, (*_WRITES, *_DEFINITIONS)):
        target = statement.this
        if isinstance(target, exp.Schema):  # a table with its columns
            target = target.this
        if isinstance(target, exp.Table) and statement.args.get("kind") != "SCHEMA":
            yield target


def _name(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts)


def _is_stored(table: exp.Table) -> bool:
    return isinstance(table.this, exp.Identifier) and not _names_a_cte(table)


def _names_a_cte(table: exp.Table) -> bool:
    """Whether a WITH around this table, and before it, defines its name."""
    if table.db:
        return False
    name, inner = table.name.lower(), table
    node: exp.Expression | None = table.parent
    while node is not None:
        clause = node.args.get("with_") or node.args.get("with")
        if isinstance(node, exp.With):
            visible = node.expressions if node.recursive else _before(inner, node.expressions)
        elif clause is not None and clause is not inner:
            visible = clause.expressions
        else:
            visible = []
        if any(cte.alias.lower() == name for cte in visible):
            return True
        inner, node = node, node.parent
    return False


def _before(cte: exp.Expression, ctes: list[exp.Expression]) -> list[exp.Expression]:
    return ctes[: next(number for number, other in enumerate(ctes) if other is cte)]


def same_structure(sql: str, probe_sql: str, dialect: str, probe: str) -> bool:
    """Whether two texts differ only in texts and names, and there only where `probe` stands."""
    first, second = _parse(sql, dialect), _parse(probe_sql, dialect)
    if isinstance(first, _Fault) or isinstance(second, _Fault):
        return False
    try:
        return _same(list(first), list(second), probe)
    except RecursionError:
        return False


def _same(real: object, other: object, probe: str) -> bool:
    if isinstance(real, exp.Neg) and not isinstance(other, exp.Neg):
        real = real.this  # a negative number stands where the probe is a positive one
    if isinstance(real, list) and isinstance(other, list):
        pairs = zip(real, other, strict=False)
        return len(real) == len(other) and all(_same(a, b, probe) for a, b in pairs)
    if isinstance(real, exp.Expression) and isinstance(other, exp.Expression):
        keys = real.args.keys() | other.args.keys()
        return type(real) is type(other) and all(
            _same(real.args.get(key), other.args.get(key), probe) for key in keys
        )
    if isinstance(real, str) and isinstance(other, str):
        return real == other or probe in other
    return real == other or (not real and not other)


class _Fault:
    """Why a text cannot be parsed, and where; kept in the cache in place of the tree."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        self.message, self.line, self.column = message, line, column

    def told_at(self, origin: Origin) -> str:
        return f"{origin.at(self.line)}, column {self.column}: {self.message}"


@lru_cache(maxsize=512)
def _parse(sql: str, dialect: str) -> tuple[exp.Expression, ...] | _Fault:
    try:
        statements = sqlglot.parse(sql, read=dialect)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        column = (first.get("col") or 1) - len(first.get("highlight") or " ") + 1
        return _Fault(_description(first), first.get("line") or 1, max(column, 1))
    except TokenError:
        return _Fault("a quote or comment is not closed", *_unclosed(sql))
    except RecursionError:
        return _Fault("nested too deeply")
    except (SqlglotError, ValueError, KeyError, IndexError, AttributeError, TypeError):
        return _Fault("not valid SQL")  # what the parser did not foresee
    return tuple(
        statement
        for statement in statements
        if statement is not None and not isinstance(statement, exp.Semicolon)
    )


def _description(error: dict[str, object]) -> str:
    text = str(error.get("description") or "not valid SQL")
    # The parser describes a token by its insides.
    return re.sub(r" but got <Token.*", "", text, flags=re.DOTALL)


_CLOSED = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|/\*.*?\*/|[^'"`/-]+|[/-]""", re.DOTALL
)


def _unclosed(sql: str) -> tuple[int, int]:
    """Line and column of the first quote or comment without an end."""
    position = 0
    while match := _CLOSED.match(sql, position):
        if match.group() == "/" and sql.startswith("/*", position):
            break
        position = match.end()
    return sql.count("\n", 0, position) + 1, position - sql.rfind("\n", 0, position)


def _refused(message: str) -> DLIValidationError:
    return DLIValidationError(message, code=ErrorCode.SPEC_INVALID, errors=[message])


def check_query(sql: str, dialect: str, *, origin: Origin = Origin("SQL")) -> exp.Expression:
    """As `check_statement`, for the text of a metric: it only reads."""
    return check_statement(sql, dialect, origin=origin, only_query=True)
