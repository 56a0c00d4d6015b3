"""Reading from a warehouse: queries one after the other in one session, nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dli.specs.statement import Statement
from dli.warehouse.planned import PlannedStatement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dli.warehouse.base import Outcome, Session

__all__ = ["Reader"]


@dataclass(frozen=True)
class Reader:
    """`dialect` is that of the queries, whatever the engine speaks."""

    session: Session
    dialect: str

    def rows(
        self, sql: str, *, reads: frozenset[str] | None = None, max_rows: int | None = None
    ) -> Outcome:
        """The first rows of one query, and how many there are.

        With `reads`, the tables it reads, the query is written by this library for the engine, and
        needs no translation.

        Raises: DLIValidationError (202, 203 for what is no query), and as `Session.execute`.
        """
        statement = Statement("main", None, sql)
        plan = self._plan(statement) if reads is None else [PlannedStatement(statement, sql, reads)]
        self.session.prepare(plan)
        return self.session.execute(plan[0].sql, max_rows=max_rows)

    def _plan(self, statement: Statement) -> Sequence[PlannedStatement]:
        from dli.specs.sql import check_statement
        from dli.warehouse.plan import plan_statements

        check_statement(statement.sql, self.dialect, only_query=True)
        return plan_statements(
            [statement], dialect=self.dialect, engine_dialect=self.session.dialect
        )
