"""What the fixed stubs in the bundle's folder call: their data turned into DAGs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk import DAG, get_parsing_context

from dli_airflow.dag import build_dag
from dli_airflow.shard import SENTINEL, read_shard, write_seen

if TYPE_CHECKING:
    from dli_airflow.entry import Entry

__all__ = ["SpecProblemError", "load"]


class SpecProblemError(Exception):
    """A spec of the store cannot be used; shown as the import error of a file of its own."""


def load(file: str) -> dict[str, DAG]:
    """The DAGs of one stub by name; a task gets its own only."""
    stub = Path(file)
    if stub.name == SENTINEL:
        return {"dli_sentinel": _sentinel()}
    shard = read_shard(stub)
    if stub.parent.name == "problems":
        raise SpecProblemError(shard.entries[stub.stem].problem)
    is_retired = stub.parent.name == "retired"
    wanted = get_parsing_context().dag_id
    if wanted is None:
        write_seen(stub, shard.version)
    return {
        name: _dag(entry, stub, is_retired=is_retired)
        for name, entry in shard.entries.items()
        if entry.content is not None and wanted in (None, name)
    }


class _UnbuildableDag(DAG):
    """Airflow refuses this one with its reason and goes on with the others of the file."""

    def __init__(self, name: str, reason: Exception) -> None:
        super().__init__(name)
        self.reason = reason

    def validate(self) -> None:
        raise SpecProblemError(f"{self.dag_id}: {self.reason}") from self.reason


def _dag(entry: Entry, stub: Path, *, is_retired: bool) -> DAG:
    try:
        dag = build_dag(entry, stub, is_retired=is_retired)
    except Exception as exc:  # noqa: BLE001 - whatever it is, it must not hurt other workflows
        dag = _UnbuildableDag(entry.name, exc)
    dag.fileloc = str(stub)
    return dag


def _sentinel() -> DAG:
    """A DAG that is always there: asking Airflow to parse it makes it look for new files."""
    return DAG("dli_sentinel", schedule=None, is_paused_upon_creation=False, tags=["dli-internal"])
