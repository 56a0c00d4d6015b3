"""Services on a real store, with an engine that only notes what it is asked."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from basecamp.clock import Clock
from basecamp.engines.base import CheckResult, Listener, LogLine, RunSpec
from basecamp.services.backfill import BackfillService
from basecamp.services.command import Caller, Idempotency
from basecamp.services.permission import local_actor
from basecamp.services.run import RunService
from basecamp.services.workflow import WorkflowService
from basecamp.store.database import Database
from basecamp.store.run import RunRow
from dli.exceptions import DLIError, ErrorCode, ServerError, WorkflowExecutionError


@dataclass
class QuietEngine:
    """An engine that runs nothing: what a service asks of it is kept."""

    can_hold: ClassVar = True

    answer: CheckResult = field(
        default_factory=lambda: CheckResult(ok=True, statements=["SELECT 1"])
    )
    checked: list[RunSpec] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any], str | None]] = field(default_factory=list)
    reply: dict[str, Any] | DLIError = field(default_factory=dict)
    interrupted: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    stop_refusal: ServerError | None = None

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def wake(self) -> None: ...

    def admit(self, dataset_name: str) -> None:
        if dataset_name in self.held:
            raise WorkflowExecutionError(
                self.held[dataset_name], code=ErrorCode.WORKFLOW_INVALID_STATE
            )

    def prepare_stop(self) -> None:
        if self.stop_refusal is not None:
            raise self.stop_refusal

    def put_in_force(self, dataset_names: Iterable[str]) -> str | None:
        return None

    def holds(self) -> Mapping[str, str]:
        return self.held

    def log(self, run: RunRow, *, after: int, limit: int) -> list[LogLine]:
        return []

    def interrupt(self, run_ids: Iterable[str]) -> None:
        self.interrupted += run_ids

    def check(self, spec: RunSpec, *, bind: bool) -> CheckResult:
        self.checked.append(spec)
        return self.answer

    def ask(
        self,
        subject: str,
        arguments: Mapping[str, Any],
        *,
        timeout_s: float,
        writes: str | None = None,
        withdrawn: Future[None] | None = None,
    ) -> dict[str, Any]:
        self.asked.append((subject, dict(arguments), writes))
        if isinstance(self.reply, DLIError):
            raise self.reply
        return self.reply

    def subscribe(self, listener: Listener) -> None: ...

    def health(self) -> dict[str, Any]:
        return {"ok": True}


@dataclass
class MemoryFiles:
    """The files of MANUAL workflows, in memory."""

    contents: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put_manual(self, name: str, content: dict[str, Any]) -> None:
        self.contents[name] = content

    def remove_manual(self, name: str) -> None:
        self.contents.pop(name, None)


@pytest.fixture
def engine() -> QuietEngine:
    return QuietEngine()


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


@pytest.fixture
def workflows(
    database: Database, engine: QuietEngine, files: MemoryFiles, clock: Clock
) -> WorkflowService:
    return WorkflowService(database, engine, files, clock)


@pytest.fixture
def runs(database: Database, engine: QuietEngine, clock: Clock) -> RunService:
    return RunService(database, engine, clock)


@pytest.fixture
def backfills(database: Database, engine: QuietEngine, clock: Clock) -> BackfillService:
    return BackfillService(database, engine, clock)


@pytest.fixture
def ana() -> Caller:
    return Caller(local_actor("ana"), request_id="req-1")


@pytest.fixture
def keyed() -> Caller:
    key = Idempotency("key-1", "POST", "/workflows/{dataset_name}/run", body_sha256="aa")
    return Caller(local_actor("ana"), request_id="req-1", idempotency=key)
