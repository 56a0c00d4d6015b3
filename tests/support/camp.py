"""A store and an Airflow engine on it whose rounds a test makes one by one."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from basecamp.clock import SystemClock
from basecamp.engines.airflow.checker import Checker, CheckerSettings
from basecamp.engines.airflow.circuit import Circuit
from basecamp.engines.airflow.connection import Access, Connection
from basecamp.engines.airflow.engine import AirflowEngine
from basecamp.engines.airflow.pause_state import PauseStates
from basecamp.engines.airflow.rest import AirflowRest
from basecamp.engines.airflow.watermark import Watermark
from basecamp.engines.leadership import SoleLeadership
from basecamp.services import ownership
from basecamp.services.backfill import BackfillService
from basecamp.services.command import Caller
from basecamp.services.permission import local_actor
from basecamp.services.run import RunService
from basecamp.services.workflow import WorkflowService
from basecamp.specstore.file import FileSpecStore
from basecamp.store.database import Database
from identity import BOSS

__all__ = ["Camp"]


@dataclass
class HandClock:
    """Time that moves by hand."""

    instant: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 1_000.0

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, delta: timedelta) -> None:
        self.seconds += delta.total_seconds()


class Camp:
    """A store, and the engine on it whose rounds a test makes one by one."""

    def __init__(self, database: Database, url: str, circuit: Circuit, root: Path) -> None:
        self.access = Access(url, username="basecamp", password="secret")
        self.database = database
        self.root = root
        self.files = FileSpecStore(root / "store")
        self.files.prepare()
        self.circuit = circuit
        self.clock = HandClock()
        self.caller = Caller(local_actor("ana"))
        self.told: set[str] = set()
        self._serve()

    def restart(self) -> None:
        """What a new server finds: the store, the files and Airflow."""
        self.engine.stop()
        self._serve()

    def _serve(self) -> None:
        self.engine = AirflowEngine(
            SoleLeadership(self.database),
            AirflowRest(Connection(self.access, self.circuit, SystemClock())),
            circuit=self.circuit,
            checker=Checker(CheckerSettings(self.root, self.root), self.clock),
            pauses=PauseStates(self.files),
            watermark=Watermark(self.root / "airflow.json"),
            clock=self.clock,
        )
        self.engine.subscribe(self.told.update)
        self.runs = RunService(self.database, self.engine, self.clock)
        self.backfills = BackfillService(self.database, self.engine, self.clock)
        self.workflows = WorkflowService(self.database, self.engine, self.files, self.clock)

    def put(self, content: dict[str, Any]) -> str:
        """A workflow is there."""
        with self.database.transaction() as tx:
            ownership.put_manual(tx, content, self.clock.now(), stored=True)
        return str(content["name"])

    def start(self, name: str) -> str:
        return str(self.runs.start(self.caller, name, parameters={}).body["run_id"])

    def step(self, seconds: float = 60.0) -> None:
        """A round in which all is due that is ever due."""
        self.clock.advance(timedelta(seconds=seconds))
        self.engine.step()

    def status(self, run_id: str) -> str:
        return str(self.runs.get(BOSS, run_id)["status"])
