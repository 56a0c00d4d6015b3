"""What there is to tell of an attempt of a run, whoever wants to hear it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dli.models.dataset import DatasetSpec
    from dli.specs.schedule import Interval
    from dli.specs.statement import Statement
    from dli.warehouse.inventory import StoredColumn

__all__ = ["Attempt", "Report", "State"]

State = Literal["START", "COMPLETE", "FAIL", "ABORT"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a run."""

    run_id: str
    number: int = 1
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """How far it has come. `columns` are those of tables that it reads and fills."""

    state: State
    at: datetime
    spec: DatasetSpec
    attempt: Attempt
    statements: Sequence[Statement] = ()
    columns: Mapping[str, Sequence[StoredColumn]] = field(default_factory=dict)
    row_count: int | None = None
    error: str | None = None
