"""Puts the parts of the Airflow engine together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from basecamp.engines.airflow.checker import Checker, CheckerSettings
from basecamp.engines.airflow.circuit import Circuit
from basecamp.engines.airflow.connection import Access, Connection
from basecamp.engines.airflow.engine import AirflowEngine
from basecamp.engines.airflow.handover import Handover
from basecamp.engines.airflow.pause_state import PauseStates, StateFiles
from basecamp.engines.airflow.rest import AirflowRest
from basecamp.engines.airflow.watermark import Watermark

if TYPE_CHECKING:
    from basecamp.clock import Clock
    from basecamp.engines.leadership import Leadership
    from basecamp.engines.observer import Observer

__all__ = ["Access", "CheckerSettings", "Surroundings", "assemble"]


@dataclass(frozen=True)
class Surroundings:
    """What the engine shares with the rest of the server."""

    leadership: Leadership
    files: StateFiles
    clock: Clock
    observer: Observer


def assemble(around: Surroundings, access: Access, checking: CheckerSettings) -> AirflowEngine:
    """An engine on the Airflow that `access` names."""
    circuit = Circuit(around.clock, around.observer.failed)
    rest = AirflowRest(Connection(access, circuit, around.clock))
    engine = AirflowEngine(
        around.leadership,
        rest,
        circuit=circuit,
        checker=Checker(checking, around.clock),
        pauses=PauseStates(around.files),
        watermark=Watermark(checking.state_dir / "airflow.json"),
        clock=around.clock,
        handover=Handover(around.leadership, rest, checking.state_dir, around.clock),
    )
    engine.observer = around.observer
    return engine
