"""The gate of a run: tests on what it has written, before that takes effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.exceptions import DLIError, ErrorCode, ExecutionError
from dli.models.quality import DqQualityResult, QualityTarget, QualityTargetType
from dli.specs.expectation import Expectation
from dli.warehouse.base import StatementEvent
from dli.warehouse.plan import plan_statements
from dli.warehouse.quality import Finding, examine, is_spoiled
from dli.warehouse.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dli.specs.gate import Gate, GateTest
    from dli.warehouse.base import EventKind, Session
    from dli.warehouse.planned import PlannedStatement
    from dli.warehouse.verdict import Verdicts

__all__ = ["GateKeeper"]


class GateKeeper:
    """Lets a run through, or not, and tells of every test."""

    def __init__(
        self,
        gate: Gate,
        session: Session,
        on_event: Callable[[StatementEvent], None],
        verdicts: Verdicts | None = None,
    ) -> None:
        self._gate = gate
        self._session = session
        self._on_event = on_event
        self._verdicts = verdicts
        self._found: list[tuple[GateTest, Finding]] = []

    def plan(self) -> list[PlannedStatement]:
        """What the tests read, to be prepared before the transaction."""
        planned = []
        for statement in self._gate.statements():
            try:
                planned += plan_statements(
                    [statement],
                    dialect=self._gate.target.dialect,
                    engine_dialect=self._session.dialect,
                )
            except DLIError:
                continue  # the test itself will say so
        return planned

    def hold(self) -> None:
        """Run the tests of severity `error`, inside the transaction of the run.

        Raises: ExecutionError DLI-604 when one fails or cannot run; as `Session.execute` for what
        is wrong with the engine, and when the run is stopped.
        """
        decisive = [test for test in self._gate.tests if test.is_decisive]
        found = list(self._findings(decisive))
        failed = [
            f"{test.definition.name} ({finding.error or f'{finding.failed_rows} rows'})"
            for test, finding in found
            if finding.error is not None or finding.failed_rows
        ]
        if failed:
            raise ExecutionError(
                f"Quality gate: {len(failed)} of {len(decisive)} tests did not pass: "
                f"{', '.join(failed)}",
                code=ErrorCode.QUALITY_TEST_EXECUTION,
            )

    def warn(self) -> None:
        """Run the tests of severity `warn`, after the commit: nothing here can undo the run.

        What all tests found is now true of the table, and is kept.
        """
        try:
            for _ in self._findings([test for test in self._gate.tests if not test.is_decisive]):
                continue
        except ExecutionError as error:
            self._on_event(StatementEvent("skipped", "quality", None, 1, 1, error=error))
        if self._verdicts is not None and self._found:
            urn = QualityTarget(type=QualityTargetType.DATASET, name=self._gate.target.name).urn
            entries = [_entry(*found) for found in self._found]
            self._verdicts.keep(DqQualityResult(target_urn=urn, test_results=entries))

    def _findings(self, tests: Sequence[GateTest]) -> Iterator[tuple[GateTest, Finding]]:
        """What each test found, up to an error that ends the transaction."""
        reader = Reader(self._session, self._gate.target.dialect)
        usable = [test.expected for test in tests if isinstance(test.expected, Expectation)]
        findings = examine(reader, self._gate.target, usable)
        for position, test in enumerate(tests, 1):
            if isinstance(test.expected, str):
                finding = Finding(error=test.expected)
            else:
                finding = next(findings)
            self._tell(test, finding, position, len(tests))
            self._found.append((test, finding))
            yield test, finding
            if finding.error is not None and is_spoiled(reader):
                return

    def _tell(self, test: GateTest, finding: Finding, position: int, total: int) -> None:
        kind: EventKind = "finished"
        if finding.error is not None or finding.failed_rows:
            kind = "failed" if test.is_decisive else "ignored"
        code = ErrorCode.QUALITY_TEST_EXECUTION
        event = StatementEvent(
            kind=kind,
            phase="quality",
            name=test.definition.name,
            position=position,
            total=total,
            duration_ms=finding.duration_ms,
            rows_affected=finding.failed_rows or None,
            error=None if finding.error is None else ExecutionError(finding.error, code=code),
        )
        self._on_event(event)


def _entry(test: GateTest, finding: Finding) -> dict[str, Any]:
    definition = test.definition
    return {
        "test_name": definition.name,
        "test_type": definition.type.value,
        "severity": definition.severity.value,
        "status": finding.status(definition.severity).value,
        "failed_rows": finding.failed_rows,
        "error_message": finding.error,
    }
