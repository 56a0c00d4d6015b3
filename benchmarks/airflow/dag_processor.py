"""Airflow's DAG processor by itself, on metadata that know no DAG yet."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.measure import progress
from benchmarks.project import wait_until
from benchmarks.yardstick import ROOT

from basecamp.engines.airflow.configuration import Owner
from basecamp.engines.airflow.home import AirflowHome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["ENVIRONMENT", "DagProcessor", "local_bundle"]

ENVIRONMENT = ROOT / ".airflow" / "venv"
"""The one of `make test-airflow`: the packages that `dli up --engine airflow` installs."""
_PATIENCE_S = 3_600
_LOOK_S = 0.25
_SHOWN = """\
SELECT COUNT(DISTINCT dag.dag_id), COUNT(DISTINCT fileloc), MAX(last_parse_duration)
FROM dag JOIN serialized_dag USING (dag_id) WHERE NOT dag.is_stale AND dag.dag_id LIKE ?
"""


def local_bundle(folder: Path) -> Mapping[str, Any]:
    """Plain DAG files, looked at as seldom as those of ours."""
    return {
        "name": "local",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(folder), "refresh_interval": 10},
    }


class DagProcessor:
    """With the settings of `dli up --engine airflow`, only the bundle differs."""

    def __init__(self, folder: Path, store_url: str, *bundles: Mapping[str, Any]) -> None:
        self._home = AirflowHome(folder, ENVIRONMENT)
        self._home.install(progress)
        self._home.configure(store_url, Owner(folder), bundles=bundles)
        self._database = folder / "airflow.db"
        self._pristine = folder / "pristine.db"
        self._bundles = folder / "bundles"
        self._log = folder / "processes" / "dag-processor.log"
        shutil.copy(self._database, self._pristine)

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[bytes]]:
        """A new one, which has never seen a DAG."""
        for path in self._database.parent.glob("airflow.db*"):
            path.unlink()
        shutil.copy(self._pristine, self._database)
        shutil.rmtree(self._bundles, ignore_errors=True)
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                [self._home.environment.python, "-m", "airflow", "dag-processor"],
                env=self._home.process_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            _end(process)

    def all_shown_ms(self, prefix: str, count: int) -> float:
        """How long a new one takes until `count` DAGs can be seen and run."""
        began = time.perf_counter()
        with self.started() as process:
            self.wait_for(process, prefix, count)
            return (time.perf_counter() - began) * 1000

    def wait_for(self, process: subprocess.Popen[bytes], prefix: str, count: int) -> None:
        def all_shown() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"the DAG processor has ended: {self._log.read_text()[-500:]}")
            return self.shown(prefix)[0] >= count

        wait_until(all_shown, _PATIENCE_S, _LOOK_S)

    def shown(self, prefix: str) -> tuple[int, int, float]:
        """How many DAGs from how many files there are, and what the slowest file took, in s."""
        address = f"file:{self._database}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=30)) as database:
            dags, files, slowest_s = database.execute(_SHOWN, [f"{prefix}%"]).fetchone()
        return dags, files, slowest_s or 0.0


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
