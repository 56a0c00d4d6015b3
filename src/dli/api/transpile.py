"""`TranspileAPI`: SQL from one dialect to another, with table rules and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dli.api.facade import Facade, not_available
from dli.models.common import TranspileResult, TranspileRule, ValidationResult

if TYPE_CHECKING:
    from dli.models.common import ExecutionContext

__all__ = ["TranspileAPI"]


class TranspileAPI(Facade):
    """Rules are those of the project (LOCAL) or of the server (SERVER), never samples."""

    def __init__(self, context: ExecutionContext | None = None) -> None:
        super().__init__(context)

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
        if self._is_mock:
            return TranspileResult(
                original_sql=sql, transpiled_sql=sql, success=True, duration_ms=0
            )
        raise not_available("TranspileAPI.transpile outside of MOCK mode")

    def validate_sql(self, sql: str, *, dialect: str = "trino") -> ValidationResult:
        """Whether the SQL parses; errors carry line and column."""
        if not sql.strip():
            return ValidationResult(valid=False, errors=["Empty SQL"])
        if self._is_mock:
            return ValidationResult(valid=True)
        raise not_available("TranspileAPI.validate_sql outside of MOCK mode")

    def get_rules(self) -> list[TranspileRule]:
        """Table rules, highest priority first."""
        if self._is_mock:
            rule = TranspileRule(
                source_table="raw.events", target_table="warehouse.events_v2", priority=10
            )
            return [rule]
        raise not_available("TranspileAPI.get_rules outside of MOCK mode")

    def format_sql(self, sql: str, *, dialect: str = "trino", indent: int = 2) -> str:
        """The SQL laid out for reading; what cannot be parsed comes back unchanged."""
        if self._is_mock:
            return sql
        raise not_available("TranspileAPI.format_sql outside of MOCK mode")
