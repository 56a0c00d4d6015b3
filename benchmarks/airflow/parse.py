"""What a workflow costs the DAG processor each time its file is parsed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from benchmarks.airflow import corpus
from benchmarks.airflow.dag_processor import ENVIRONMENT
from benchmarks.figure import Figure, at_most_times
from benchmarks.measure import Command, Samples, Side, in_turn, progress
from benchmarks.yardstick import FOLDER, clean_env, tool

from basecamp.engines.airflow.environment import AirflowEnvironment
from dli.specs.published import open_published
from dli_airflow.mirror import Mirror

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.airflow.scale import Scale

__all__ = ["parse"]

_ROUNDS = 5
_SHARDS = 32
_PROBE = FOLDER / "airflow" / "parse_probe.py"


def parse(directory: Path, scale: Scale) -> list[Figure]:
    """CPU time to load the DAGs of all files in one process, with Airflow imported before, and to
    serialize them as the DAG processor does; divided by their number.
    """
    count = scale.generator
    corpus.write_factory(directory / "factory" / "dags", count)
    corpus.write_store(directory / "store", count)
    shards = directory / "ours" / "dags"
    Mirror(shards, _SHARDS).update(
        open_published((directory / "store").as_uri()), datetime.now(UTC)
    )
    (shards / "dli_sentinel.py").unlink()
    environment = AirflowEnvironment(ENVIRONMENT)
    environment.install(progress)
    theirs = _Probe(tool("dag-factory", "python"), directory / "factory", count)
    ours = _Probe(str(environment.python), directory / "ours", count)
    sides = [Side("dag-factory", theirs), Side("dli", ours)]
    factory, dli = in_turn(sides, min(_ROUNDS, scale.samples))
    name = f"CPU to parse a workflow, of {count:,}, against dag-factory"
    return [
        Figure(name, "ms", dli, at_most_times(0.5), factory),
        Figure("its load alone", "ms", ours.loads, None, theirs.loads),
        Figure("its serialization alone", "ms", ours.serializations, None, theirs.serializations),
    ]


class _Probe:
    """Parses everything in a new process; yields milliseconds of CPU for a workflow."""

    def __init__(self, python: str, folder: Path, count: int) -> None:
        env = clean_env(folder) | {
            "AIRFLOW_HOME": str(folder / "home"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "600",  # its one file may need 30 s
            "DO_NOT_TRACK": "1",
        }
        dags = folder / "dags"
        (dags / "warm.py").write_text("from airflow.sdk import dag\n", encoding="utf-8")
        self._command = Command([python, str(_PROBE), str(dags)], folder, env)
        self._count = count
        self.loads, self.serializations = Samples(), Samples()

    def __call__(self) -> float:
        found = json.loads(self._command.run().splitlines()[-1])
        if found["dags"] != self._count:
            raise RuntimeError(f"{found['dags']} of {self._count} DAGs were loaded")
        load, serialization = (float(found[name]) * 1000 / self._count for name in _PARTS)
        self.loads.values.append(load)
        self.serializations.values.append(serialization)
        return load + serialization


_PARTS = ("loaded_s", "serialized_s")
