"""`TranspileAPI`: SQL from one dialect to another, with table rules and metrics."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, TypeVar, get_args

from pydantic import BaseModel

from dli.api.argument import check_minimum
from dli.api.facade import Facade
from dli.api.reply import record_of, records_of, unreadable
from dli.api.rule import ProjectRules
from dli.api.server import connect
from dli.exceptions import DLIValidationError, ErrorCode, TranspileError
from dli.models.common import (
    SQLDialect,
    TranspileResult,
    TranspileRule,
    TranspileWarning,
    ValidationResult,
)
from dli.models.transpile import MetricDefinition, RuleType, WarningType

if TYPE_CHECKING:
    from dli.client.response import Record, ServerResponse
    from dli.models.common import ExecutionContext
    from dli.specs.project_file import RuleEntry
    from dli.specs.substitution import Rules
    from dli.specs.transpile import Transpiled

__all__ = ["TranspileAPI"]

Model = TypeVar("Model", bound=BaseModel)

_DIALECTS = get_args(SQLDialect)


class TranspileAPI(Facade):
    """Rules are those of the project (LOCAL) or of the server (SERVER), never samples."""

    def __init__(self, context: ExecutionContext | None = None) -> None:
        super().__init__(context)
        self._project_rules = ProjectRules(self.context)

    def transpile(
        self,
        sql: str,
        *,
        source_dialect: str = "trino",
        target_dialect: str = "trino",
        apply_rules: bool = True,
        expand_metrics: bool = True,
        strict: bool = False,
    ) -> TranspileResult:
        """The SQL in the target dialect; a failure leaves it as it was and says why in a warning.

        Raises: TranspileError 302 for an unknown dialect, 301 under `strict` for any warning.
        """
        started_s = perf_counter()
        if self._is_mock:
            return _result(sql, sql, started_s)
        from dli.specs.transpile import transpile

        _check_dialect(source_dialect)
        _check_dialect(target_dialect)
        metrics_of = (sql, source_dialect) if expand_metrics else None
        rules = self._rules(apply_rules=apply_rules, metrics_of=metrics_of)
        try:
            done = transpile(sql, read=source_dialect, write=target_dialect, rules=rules)
        except (TranspileError, DLIValidationError) as error:
            if strict:
                raise _refusal(sql, error.message) from error
            return _result(sql, sql, started_s, failure=TranspileWarning(message=error.message))
        warnings = _warnings(done, has_metrics=expand_metrics)
        if strict and warnings:
            raise _refusal(sql, warnings[0].message, warnings[0].line, warnings[0].column)
        applied = [_public(rule) for rule in done.applied]
        return _result(sql, done.sql, started_s, applied_rules=applied, warnings=warnings)

    def validate_sql(self, sql: str, *, dialect: str = "trino") -> ValidationResult:
        """Whether the SQL parses; errors carry line and column.

        Raises: TranspileError 302 for an unknown dialect.
        """
        if not sql.strip():
            return ValidationResult(valid=False, errors=["Empty SQL"])
        if self._is_mock:
            return ValidationResult(valid=True)
        from dli.specs.sql import parse_script

        _check_dialect(dialect)
        try:
            parse_script(sql, dialect)
        except DLIValidationError as error:
            return ValidationResult(valid=False, errors=error.errors or [error.message])
        return ValidationResult(valid=True)

    def get_rules(self) -> list[TranspileRule]:
        """Table rules, highest priority first.

        Raises: ConfigurationError (001-003), ServerError (501-503).
        """
        if self._is_mock:
            rule = TranspileRule(
                source_table="raw.events", target_table="warehouse.events_v2", priority=10
            )
            return [rule]
        rules = [
            rule
            for rule in self._rules(apply_rules=True, metrics_of=None).rules
            if rule.type is RuleType.TABLE_SUBSTITUTION
        ]
        return [_public(rule) for rule in sorted(rules, key=lambda rule: -rule.priority)]

    def format_sql(self, sql: str, *, dialect: str = "trino", indent: int = 2) -> str:
        """The SQL laid out for reading; what cannot be parsed comes back unchanged.

        Raises: TranspileError 302 for an unknown dialect.
        """
        check_minimum(0, indent=indent)
        if self._is_mock:
            return sql
        from dli.specs.sql import format_sql

        _check_dialect(dialect)
        try:
            return format_sql(sql, dialect, indent=indent)
        except DLIValidationError:
            return sql

    def _rules(self, *, apply_rules: bool, metrics_of: tuple[str, str] | None) -> Rules:
        """`metrics_of`: the SQL, and its dialect, whose metrics are to be known."""
        from dli.specs.substitution import Rules

        if not apply_rules and metrics_of is None:
            return Rules()
        known = self._of_server(metrics_of) if self._is_server else self._project_rules.read()
        return known.only(tables=apply_rules, metrics=metrics_of is not None)

    def _of_server(self, metrics_of: tuple[str, str] | None) -> Rules:
        """The server's rules, and the one metric that the SQL may have."""
        from dli.specs.project_file import RuleEntry
        from dli.specs.substitution import Rules
        from dli.specs.transpile import find_metrics

        with connect(self.context) as client:
            answer = client.transpile_get_rules()
            rules = Rules([_read(RuleEntry, one, answer) for one in records_of(answer)])
            matches = find_metrics(*metrics_of) if metrics_of else []
            if len(matches) != 1 or rules.definition(matches[0].metric_name):
                return rules
            answer = client.transpile_get_metric_sql(matches[0].metric_name)
        if answer.status_code == 404:
            return rules
        return Rules(rules.rules, [_read(MetricDefinition, record_of(answer), answer)])


def _read(model: type[Model], record: Record, answer: ServerResponse) -> Model:
    try:
        return model.model_validate(record)
    except ValueError as error:
        raise unreadable(answer) from error


def _check_dialect(dialect: str) -> None:
    if dialect not in _DIALECTS:
        message = f"unknown dialect; use one of {', '.join(_DIALECTS)}"
        raise TranspileError(message, ErrorCode.DIALECT_UNSUPPORTED)


def _warnings(done: Transpiled, *, has_metrics: bool) -> list[TranspileWarning]:
    """As the public result has them; a METRIC() that is to stay is nothing to warn of."""
    return [
        TranspileWarning(
            message=found.message, line=found.line, column=found.column, rule=found.type.value
        )
        for found in done.warnings
        if has_metrics or found.type is not WarningType.METRIC_ERROR
    ]


def _public(rule: RuleEntry) -> TranspileRule:
    return TranspileRule(
        source_table=rule.source,
        target_table=rule.target,
        priority=rule.priority,
        enabled=rule.enabled,
    )


def _refusal(
    sql: str, message: str, line: int | None = None, column: int | None = None
) -> TranspileError:
    return TranspileError(message, sql=sql, line=line, column=column)


def _result(
    original: str,
    written: str,
    started_s: float,
    *,
    applied_rules: list[TranspileRule] | None = None,
    warnings: list[TranspileWarning] | None = None,
    failure: TranspileWarning | None = None,
) -> TranspileResult:
    return TranspileResult(
        original_sql=original,
        transpiled_sql=written,
        success=failure is None,
        applied_rules=applied_rules or [],
        warnings=[failure] if failure else warnings or [],
        duration_ms=round((perf_counter() - started_s) * 1000),
    )
