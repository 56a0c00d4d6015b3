"""SQL rewritten by the rules of a project: metrics first, then tables, then what to look at."""

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import sqlglot
from sqlglot import Expr, exp
from sqlglot.errors import ErrorLevel, SqlglotError, TokenError, UnsupportedError

from dli.exceptions import ErrorCode, TranspileError
from dli.models.transpile import (
    MetricMatch,
    RuleType,
    TranspileWarning,
    WarningType,
)
from dli.specs.project_file import RuleEntry
from dli.specs.rule import DIALECTS
from dli.specs.sql import dialect_of, names_a_cte, parse_own_script
from dli.specs.substitution import Rules
from dli.specs.suspicion import suspicions
from dli.specs.syntax import Nodes

__all__ = ["Rules", "Transpiled", "find_metrics", "transpile"]

_NUMBERED = "_t"
"""What names begin with that a generator makes up; it would count on with the next statement."""


@dataclass(frozen=True)
class Transpiled:
    """A rewritten script, the rules that changed it, and what to look at."""

    sql: str
    applied: list[RuleEntry] = field(default_factory=list)
    warnings: list[TranspileWarning] = field(default_factory=list)


def transpile(sql: str, *, read: str, write: str, rules: Rules | None = None) -> Transpiled:
    """The script with `rules` applied, in another dialect; what nothing changes stays as it is.

    Raises: TranspileError 301 (the other dialect cannot say it), 302 (unknown dialect), 303 (rules
    contradict each other); DLIValidationError 202 with line and column.
    """
    for dialect in (read, write):
        if dialect not in DIALECTS:
            raise TranspileError(
                f"unknown dialect; use one of {', '.join(DIALECTS)}",
                code=ErrorCode.DIALECT_UNSUPPORTED,
            )
    rules = rules or Rules()
    text, applied, warnings = _with_metric(sql, read, rules)
    statements = parse_own_script(text, read)
    for statement in statements:
        nodes = Nodes(statement, text)
        warnings += suspicions(statement, nodes)
        applied += _substitute(nodes, rules) if rules.tables else []
    if read != write or any(rule.type is RuleType.TABLE_SUBSTITUTION for rule in applied):
        text = _written(statements, write, text)
    return Transpiled(text, list({rule.id: rule for rule in applied}.values()), warnings)


def _written(statements: Sequence[Expr], dialect: str, original: str) -> str:
    try:
        texts = [_writers.text(statement, dialect) for statement in statements]
    except UnsupportedError as error:
        raise TranspileError(f"{dialect} cannot express this SQL: {error}") from None
    except (SqlglotError, RecursionError, ValueError):
        raise TranspileError(f"the SQL cannot be translated to {dialect}") from None
    return ";\n".join(texts) + (";" if original.rstrip().endswith(";") else "")


class _Writers(threading.local):
    """The generator of each dialect, for one statement at a time: making it takes as long as
    writing a line of SQL.
    """

    def __init__(self) -> None:
        self._by_dialect: dict[str, sqlglot.Generator] = {}

    def text(self, statement: Expr, dialect: str) -> str:
        """The tree, which is changed by this, as SQL; raises UnsupportedError."""
        writer = self._by_dialect.pop(dialect, None)
        if writer is None:
            writer = dialect_of(dialect).generator(unsupported_level=ErrorLevel.RAISE)
        text = writer.generate(statement, copy=False)
        if _NUMBERED not in text:
            self._by_dialect[dialect] = writer
        return text


_writers = _Writers()


def find_metrics(sql: str, dialect: str) -> list[MetricMatch]:
    """Every `METRIC(name)` outside of strings and comments; the name may be quoted or dotted."""
    if "metric" not in sql.lower():
        return []
    try:
        tokens = sqlglot.tokenize(sql, read=dialect)
    except TokenError:
        return []  # the parser tells what is wrong
    return list(_metrics(sql, tokens))


def _metrics(sql: str, tokens: Sequence[sqlglot.Token]) -> Iterator[MetricMatch]:
    kinds = sqlglot.TokenType
    for number, token in enumerate(tokens[:-3]):
        is_call = token.text.upper() == "METRIC" and tokens[number + 1].token_type == kinds.L_PAREN
        is_member = number > 0 and tokens[number - 1].token_type == kinds.DOT
        if not is_call or is_member or token.token_type != kinds.VAR:
            continue
        end = number + 2
        while end < len(tokens) and tokens[end].token_type not in (kinds.R_PAREN, kinds.L_PAREN):
            end += 1
        if end < len(tokens) and tokens[end].token_type == kinds.R_PAREN:
            name = "".join(part.text for part in tokens[number + 2 : end])
            stop = tokens[end].end + 1
            yield MetricMatch(sql[token.start : stop], name, token.start, stop)


def _with_metric(
    sql: str, dialect: str, rules: Rules
) -> tuple[str, list[RuleEntry], list[TranspileWarning]]:
    matches = find_metrics(sql, dialect)
    if not matches:
        return sql, [], []
    first = matches[0]
    rule = rules.expressions.get(first.metric_name.lower())
    if len(matches) == 1 and rule is not None:
        expanded = f"{sql[: first.start_pos]}({rule.target}){sql[first.end_pos :]}"
        return expanded, [rule], []
    reason = "only one METRIC() per SQL" if len(matches) > 1 else "this metric is not defined"
    wrong = matches[min(1, len(matches) - 1)].start_pos
    line, column = sql.count("\n", 0, wrong) + 1, wrong - sql.rfind("\n", 0, wrong)
    warning = TranspileWarning(
        type=WarningType.METRIC_ERROR, message=reason, line=line, column=column
    )
    return sql, [], [warning]


def _substitute(nodes: Nodes, rules: Rules) -> list[RuleEntry]:
    """Replace tables in place; columns that name the table go with it."""
    applied = []
    for table in nodes.of(exp.Table):
        name = table.this
        if not isinstance(name, exp.Identifier):
            continue
        if name.name.lower().rpartition(".")[2] not in rules.table_words:
            continue
        parts = [part.name for part in table.parts]
        keys = (".".join(parts[start:]).lower() for start in range(len(parts)))
        rule = next((rules.tables[key] for key in keys if key in rules.tables), None)
        if rule is None or (nodes.of(exp.With) and names_a_cte(table)):
            continue
        new = [exp.Identifier(this=name, quoted=quoted) for name, quoted in _parts(rule.target)]
        if not table.alias:
            _rename_columns(nodes, parts, new)
        table.set("this", new[-1])
        table.set("db", new[-2] if len(new) > 1 else None)
        table.set("catalog", new[-3] if len(new) > 2 else None)
        applied.append(rule)
    return applied


@cache
def _parts(name: str) -> tuple[tuple[str, bool], ...]:
    """The parts of a name, and whether SQL needs quotes around them."""
    plain = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
    return tuple((part, plain.fullmatch(part) is None) for part in name.split("."))


def _rename_columns(nodes: Nodes, old: list[str], new: list[exp.Identifier]) -> None:
    names = [part.lower() for part in old]
    columns = list(nodes.columns(names[-1]))
    if columns and any(alias.name.lower() == names[-1] for alias in nodes.of(exp.TableAlias)):
        return  # the columns may mean the alias
    for column in columns:
        if not column.args.get("table"):
            continue
        qualifiers = [part.name.lower() for part in column.parts[:-1]]
        if qualifiers and names[-len(qualifiers) :] == qualifiers:
            column.set("table", new[-1].copy())
            column.set("db", None)
            column.set("catalog", None)
