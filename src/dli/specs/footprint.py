"""What the statements of one run read and write, and from which columns they make each column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dli.models.dataset import DatasetSpec
from dli.specs.column import column_sources
from dli.specs.dependency import tables_of
from dli.specs.sql import tables_written
from dli.specs.statement import Statement

__all__ = ["Footprint", "footprint"]


@dataclass(frozen=True, slots=True)
class Footprint:
    """Names of tables; `columns` are those of the table `filled` by the main statement.

    Each column has the `table.column` texts that it is made from.
    """

    inputs: list[str]
    outputs: list[str]
    filled: str | None = None
    columns: dict[str, list[str]] = field(default_factory=dict)


def footprint(
    spec: DatasetSpec,
    statements: Sequence[Statement],
    known: Mapping[str, Sequence[str]],
) -> Footprint:
    """The footprint of rendered statements; `known` has the columns of tables.

    Before anything is rendered it is the dataset alone.
    """
    reads, writes = tables_of(spec, [(statement, statement.sql) for statement in statements])
    inputs, outputs = _tables(reads), _tables(writes) or [spec.name]
    dialect = spec.execution.dialect
    main = next((statement.sql for statement in statements if statement.phase == "main"), None)
    filled = _tables([] if main is None else tables_written(main, dialect))
    if main is None or not filled:
        return Footprint(inputs, outputs)
    columns = column_sources(main, dialect, known, known.get(filled[0], ()))
    return Footprint(inputs, outputs, filled[0], columns)


def _tables(names: Sequence[str]) -> list[str]:
    """Each once, without schemas, which are named like a table without a name."""
    return [name for name in dict.fromkeys(names) if not name.endswith(".")]
