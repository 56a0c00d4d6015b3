"""How Airflow is as a whole: its parts, and the workflows that are held up there."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from basecamp.engines.airflow.rest import AirflowRest

_NEEDED_PARTS = ("metadatabase", "scheduler", "dag_processor")
_BY_HAND = "airflow_paused: the DAG is paused in Airflow itself; unpause it there to let it run."


class Watch:
    """What the last look has found; read by many threads, written by one."""

    def __init__(self, rest: AirflowRest) -> None:
        self._rest = rest
        self.parts: Mapping[str, str] = {}
        self.paused: frozenset[str] = frozenset()
        self.holds: Mapping[str, str] = {}

    def look(self) -> None:
        """Ask Airflow about itself.

        Raises:
            AirflowError: it gives no usable answer; what was known stays.
        """
        self.parts = self._rest.part_states()
        self.paused = frozenset(dag.dag_id for dag in self._rest.paused_dags())
        broken = {
            PurePath(filename).stem: f"Airflow cannot use the newest spec: {error}"
            for filename, error in self._rest.import_errors()
        }
        self.holds = broken | dict.fromkeys(self.paused, _BY_HAND)

    @property
    def failing_parts(self) -> list[str]:
        """Parts of Airflow without which no run begins."""
        return [name for name in _NEEDED_PARTS if self.parts.get(name, "healthy") != "healthy"]


def paused_by_hand() -> str:
    """Why a run of a DAG that is paused in Airflow does not begin."""
    return _BY_HAND
