"""Reading from a warehouse: queries one after the other in one session, nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dli.specs.sql import check_statement
from dli.specs.statement import Statement
from dli.warehouse.plan import plan_statements

if TYPE_CHECKING:
    from dli.warehouse.base import Outcome, Session

__all__ = ["Reader"]


@dataclass(frozen=True)
class Reader:
    """`dialect` is that of the queries, whatever the engine speaks."""

    session: Session
    dialect: str

    def rows(self, sql: str, *, max_rows: int | None = None) -> Outcome:
        """The first rows of one query, and how many there are.

        Raises: DLIValidationError (202, 203 for what is no query), and as `Session.execute`.
        """
        check_statement(sql, self.dialect, only_query=True)
        statement = Statement("main", None, sql)
        plan = plan_statements(
            [statement], dialect=self.dialect, engine_dialect=self.session.dialect
        )
        self.session.prepare(plan)
        return self.session.execute(plan[0].sql, max_rows=max_rows)
