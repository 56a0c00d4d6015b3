"""SQL texts: parsed once, checked to be one harmless kind of statement, translated, and read."""

import logging
import re
import threading
from collections.abc import Iterator
from functools import cache, lru_cache

from sqlglot import Dialect, Expr, Parser, Tokenizer, exp
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError, TokenError, UnsupportedError
from sqlglot.helper import ensure_list

from dli.exceptions import ErrorCode, TranspileError
from dli.specs.origin import Origin
from dli.specs.refusal import refused

__all__ = [
    "check_statement",
    "dialect_of",
    "format_sql",
    "names_a_cte",
    "parse_own_script",
    "parse_script",
    "tables_read",
    "tables_written",
    "translate",
]

# Its warnings quote the SQL, which belongs in no log; what it warns of is refused below.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_KEPT = 256  # trees of statements, some 20 kB each
_SQL = Origin("SQL")
_LARGE_CHARS = 64 * 1024  # tokens of the last text are kept, and are a hundred times its size
_WRITES = (exp.Insert, exp.Merge, exp.Update, exp.Delete)
_STATEMENTS = (exp.Query, exp.Values, *_WRITES, exp.TruncateTable, exp.Analyze, exp.Comment)
_DEFINITIONS = (exp.Create, exp.Drop, exp.Alter)
_TARGETED = (*_WRITES, *_DEFINITIONS, exp.TruncateTable, exp.Comment)
_DEFINED_KINDS = ("TABLE", "VIEW", "SCHEMA")
_ALLOWED = (
    "SELECT, INSERT, MERGE, UPDATE, DELETE, TRUNCATE, ANALYZE, COMMENT, "
    "or CREATE, ALTER, DROP of a table, view or schema"
)


def check_statement(
    sql: str, dialect: str, *, origin: Origin = _SQL, only_query: bool = False
) -> Expr:
    """The one statement of this text. The tree is shared: copy it before changing it.

    Raises: DLIValidationError DLI-202 for a text that cannot be parsed, with line and column;
    DLI-203 for none or several statements, or one of a kind that specs may not use.
    """
    statements = parse_script(sql, dialect, origin=origin)
    if len(statements) != 1:
        count = "is empty" if not statements else f"holds {len(statements)} statements"
        raise refused(f"{origin}: the SQL {count}; exactly one is needed")
    statement = statements[0]
    if only_query and not isinstance(statement, exp.Query):
        raise refused(f"{origin}: a query is needed")
    if not _is_allowed(statement):
        raise refused(f"{origin}: this kind of statement is not allowed; use {_ALLOWED}")
    return statement


def _is_allowed(statement: Expr) -> bool:
    if isinstance(statement, _DEFINITIONS):
        return _kind(statement) in _DEFINED_KINDS
    return isinstance(statement, _STATEMENTS)


def _kind(definition: Expr) -> str:
    return str(definition.args.get("kind")).upper()


def parse_script(sql: str, dialect: str, *, origin: Origin = _SQL) -> tuple[Expr, ...]:
    """All statements of a text, none for one of comments only.

    Raises: DLIValidationError DLI-202.
    """
    return _told(_parse(sql, dialect), origin)


@cache
def dialect_of(name: str) -> Dialect:
    """Making one takes as long as parsing a word or two."""
    return Dialect.get_or_raise(name)


def parse_own_script(sql: str, dialect: str) -> tuple[Expr, ...]:
    """As `parse_script`, with trees that are the caller's own to change."""
    return _told(_parse.__wrapped__(sql, dialect), _SQL)


def _told(parsed: "tuple[Expr, ...] | _Fault", origin: Origin) -> tuple[Expr, ...]:
    if isinstance(parsed, _Fault):
        raise refused(parsed.told_at(origin), ErrorCode.SQL_SYNTAX_ERROR)
    return parsed


def translate(sql: str, read: str, write: str) -> str:
    """The one statement of this text in another dialect; the same dialect keeps it as it is.

    Raises: DLIValidationError as `check_statement`; TranspileError DLI-301 for what the other
    dialect cannot say.
    """
    return sql if read == write else _translated(sql, read, write)


@lru_cache(_KEPT)
def _translated(sql: str, read: str, write: str) -> str:
    statement = check_statement(sql, read)
    try:
        return statement.sql(dialect=write, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise TranspileError(f"{write} cannot express this SQL: {error}") from None
    except (SqlglotError, RecursionError, ValueError):
        raise TranspileError(f"the SQL cannot be translated to {write}") from None


def format_sql(sql: str, dialect: str, *, indent: int = 2) -> str:
    """The script laid out for reading.

    Raises: DLIValidationError DLI-202.
    """
    statements = parse_script(sql, dialect)
    texts = [s.sql(dialect=dialect, pretty=True, indent=indent, pad=indent) for s in statements]
    return ";\n\n".join(texts) + (";" if sql.rstrip().endswith(";") else "")


def tables_read(sql: str, dialect: str) -> list[str]:
    """Names of the tables that the one statement of this text reads, in order, without CTEs."""
    statement = check_statement(sql, dialect)
    targets = {id(table) for table in _targets(statement)}
    tables = (table for table in statement.find_all(exp.Table) if id(table) not in targets)
    return list(dict.fromkeys(_name(table) for table in tables if _is_stored(table)))


def tables_written(sql: str, dialect: str) -> list[str]:
    """Names of the tables that the one statement of this text fills, changes, makes or drops."""
    return list(dict.fromkeys(map(_name, _targets(check_statement(sql, dialect)))))


def _targets(statement: Expr) -> Iterator[exp.Table]:
    if not isinstance(statement, _TARGETED) or _kind(statement) == "SCHEMA":
        return
    for key in ("this", "tables", "expressions"):
        for target in ensure_list(statement.args.get(key)):
            table = target.this if isinstance(target, exp.Schema) else target
            if isinstance(table, exp.Table):
                yield table


def _name(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts)


def _is_stored(table: exp.Table) -> bool:
    return isinstance(table.this, exp.Identifier) and not names_a_cte(table)


def names_a_cte(table: exp.Table) -> bool:
    """Whether a WITH around this table, and before it, defines its name."""
    if table.db:
        return False
    name = table.name.lower()
    inner: Expr = table
    node = table.parent
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


def _before(cte: Expr, ctes: list[Expr]) -> list[Expr]:
    return ctes[: next(number for number, other in enumerate(ctes) if other is cte)]


class _Fault:
    """Why a text cannot be parsed, and where; kept in the cache in place of the tree."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        self.message, self.line, self.column = message, line, column

    def told_at(self, origin: Origin) -> str:
        return f"{origin.at(self.line)}, column {self.column}: {self.message}"


@lru_cache(_KEPT)
def _parse(sql: str, dialect: str) -> tuple[Expr, ...] | _Fault:
    try:
        statements = _trees(sql, dialect)
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


class _Readers(threading.local):
    """Tokenizer and parser of each dialect, for one text at a time: making them takes as long as
    reading a line of SQL.
    """

    def __init__(self) -> None:
        self._by_dialect: dict[str, tuple[Tokenizer, Parser]] = {}

    def of(self, dialect: str) -> tuple[Tokenizer, Parser]:
        found = self._by_dialect.get(dialect)
        if found is None:
            spoken = dialect_of(dialect)
            found = self._by_dialect[dialect] = spoken.tokenizer(), spoken.parser()
        return found


_readers = _Readers()


def _trees(sql: str, dialect: str) -> list[Expr | None]:
    if len(sql) > _LARGE_CHARS:
        return dialect_of(dialect).parse(sql)
    tokenizer, parser = _readers.of(dialect)
    return parser.parse(tokenizer.tokenize(sql), sql)


def _description(error: dict[str, object]) -> str:
    text = str(error.get("description") or "not valid SQL")
    # The parser describes tokens and functions by their insides.
    if "<class" in text:
        return "an argument is missing"
    return text.partition(" but got <Token")[0]


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
