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
    from collections.abc import Callable

    from basecamp.clock import Clock
    from basecamp.engines.leadership import Leadership

__all__ = ["Access", "CheckerSettings", "Surroundings", "assemble"]


@dataclass(frozen=True)
class Surroundings:
    """What the engine shares with the rest of the server; `on_fault` is told each fault's word."""

    leadership: Leadership
    files: StateFiles
    clock: Clock
    on_fault: Callable[[str], None]


def assemble(around: Surroundings, access: Access, checking: CheckerSettings) -> AirflowEngine:
    """An engine on the Airflow that `access` names."""
    circuit = Circuit(around.clock, around.on_fault)
    rest = AirflowRest(Connection(access, circuit, around.clock))
    return AirflowEngine(
        around.leadership,
        rest,
        circuit=circuit,
        checker=Checker(checking, around.clock),
        pauses=PauseStates(around.files),
        watermark=Watermark(checking.state_dir / "airflow.json"),
        clock=around.clock,
        handover=Handover(around.leadership, rest, checking.state_dir, around.clock),
    )
