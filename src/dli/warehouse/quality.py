"""Running quality tests: one scan for all that look at single rows, samples where some fail."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dli.exceptions import DLIError, ErrorCode, ExecutionError
from dli.models.cell import json_value
from dli.models.dq import DqSeverity, DqStatus
from dli.specs.expectation import scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dli.specs.expectation import Expectation, Target
    from dli.warehouse.base import Outcome
    from dli.warehouse.reader import Reader

__all__ = ["Finding", "examine", "is_spoiled"]

_SAMPLE_ROWS = 100
_REFUSALS = frozenset(
    {
        ErrorCode.SQL_SYNTAX_ERROR,
        ErrorCode.SPEC_INVALID,
        ErrorCode.TRANSPILE_FAILED,
        ErrorCode.EXECUTION_PERMISSION,
        ErrorCode.EXECUTION_QUERY,
    }
)
"""What is wrong with one test; other codes are about the engine and end the run."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a test found; `failed_rows` counts all, `samples` has the first 100 as JSON values.

    Tests that share a scan share its time in equal parts.
    """

    failed_rows: int = 0
    samples: list[dict[str, Any]] = field(default_factory=list)
    duration_ms: int = 0
    error: str | None = None

    def status(self, severity: DqSeverity) -> DqStatus:
        """How a test of this severity has ended."""
        if self.error is not None:
            return DqStatus.ERROR
        if not self.failed_rows:
            return DqStatus.PASS
        return DqStatus.WARN if severity is DqSeverity.WARN else DqStatus.FAIL


def examine(
    reader: Reader, target: Target, expectations: Sequence[Expectation]
) -> Iterator[Finding]:
    """One finding per expectation, in their order; a test runs when its finding is asked for.

    Raises: DLIError for what is wrong with the engine, not with a test.
    """
    if reader.session.dialect is None:
        # An executor gives its rows in any case, and may be a stand-in that knows no counting.
        yield from (_all_at_once(reader, expected) for expected in expectations)
        return
    spoken = [_spoken(expected, reader.session.dialect) for expected in expectations]
    shared = _Scan(reader, target, spoken)
    for expected in spoken:
        yield _counted_first(reader, expected, shared)


def _spoken(expected: Expectation, dialect: str) -> Expectation:
    """In the dialect of the engine, which is then spared from translation and its start."""
    return expected if expected.spoken is None else expected.spoken(dialect)


def _all_at_once(reader: Reader, expected: Expectation) -> Finding:
    started = time.perf_counter()
    try:
        found = reader.rows(expected.failing, max_rows=_SAMPLE_ROWS)
    except DLIError as error:
        return _unable(error, started)
    failed_rows = len(found.rows) if found.row_count is None else found.row_count
    return Finding(failed_rows, _samples(found), _ms_since(started))


def _counted_first(reader: Reader, expected: Expectation, shared: _Scan) -> Finding:
    started = time.perf_counter()
    shared_ms = 0
    try:
        count = shared.count(expected)
        if count is None:
            sql = f"SELECT COUNT(*) FROM ({expected.failing}) f"  # noqa: S608
            counted = reader.rows(sql, reads=expected.reads)
            count = int(counted.rows[0][0])
        else:
            shared_ms, started = shared.duration_ms, time.perf_counter()
        samples = []
        if count:
            sql = f"SELECT * FROM ({expected.failing}) f LIMIT {_SAMPLE_ROWS}"  # noqa: S608
            samples = _samples(reader.rows(sql, reads=expected.reads, max_rows=_SAMPLE_ROWS))
    except DLIError as error:
        return _unable(error, started)
    return Finding(count, samples, shared_ms + _ms_since(started))


class _Scan:
    """The counts of all row-wise tests from one pass over the target, made when first needed."""

    def __init__(self, reader: Reader, target: Target, expectations: Sequence[Expectation]) -> None:
        self._reader = reader
        self._shared = list(dict.fromkeys(one for one in expectations if one.tally is not None))
        self._reads = self._shared[0].reads if self._shared else None
        spoken = replace(target, dialect=reader.session.dialect or target.dialect)
        self._target = target if self._reads is None else spoken
        self._counts: dict[Expectation, int] | None = None
        self.duration_ms = 0

    def count(self, expected: Expectation) -> int | None:
        """None when this test has to count for itself."""
        if expected.tally is None:
            return None
        if self._counts is None:
            self._counts = self._made()
        return self._counts.get(expected)

    def _made(self) -> dict[Expectation, int]:
        started = time.perf_counter()
        found = self._read([one.text_tally or one.tally or "" for one in self._shared])
        if found is None and any(one.text_tally for one in self._shared):
            found = self._read([self._tally(one) for one in self._shared])
        if found is None:
            return {}  # one of the tests is wrong; alone, each tells for itself
        self.duration_ms = round(_ms_since(started) / len(self._shared))
        return dict(zip(self._shared, map(int, found.rows[0]), strict=True))

    def _tally(self, expected: Expectation) -> str:
        """The quick one where the engine takes the column for one of texts."""
        quick = expected.text_tally
        return quick if quick and self._read([quick], suffix=" LIMIT 0") else expected.tally or ""

    def _read(self, tallies: Sequence[str], suffix: str = "") -> Outcome | None:
        """None for what the engine refuses."""
        try:
            return self._reader.rows(scan(self._target, tallies) + suffix, reads=self._reads)
        except DLIError as error:
            if error.code not in _REFUSALS:
                raise
            if is_spoiled(self._reader):
                message = f"one of the tests that share a scan: {error.message}"
                raise ExecutionError(message, code=error.code) from error
            return None


def is_spoiled(reader: Reader) -> bool:
    """Whether an error has ended the transaction around the tests, so that no other can run."""
    try:
        reader.rows("SELECT 1")
    except DLIError as error:
        if error.code not in _REFUSALS:
            raise
        return True
    return False


def _unable(error: DLIError, started: float) -> Finding:
    if error.code not in _REFUSALS:
        raise error
    return Finding(duration_ms=_ms_since(started), error=error.message)


def _samples(found: Outcome) -> list[dict[str, Any]]:
    rows = (dict(zip(found.columns, row, strict=True)) for row in found.rows)
    return [json_value(row) for row in rows]


def _ms_since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
