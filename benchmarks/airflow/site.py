"""A real Airflow with a Basecamp on it, as `dli up --engine airflow` makes them, and a project."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from benchmarks.airflow import corpus
from benchmarks.airflow.corpus import CORPUS
from benchmarks.airflow.dag_processor import ENVIRONMENT
from benchmarks.measure import progress
from benchmarks.project import STATE, BenchProject, Connection, wait_until

from basecamp.engines.airflow.configuration import Owner
from basecamp.engines.airflow.home import AirflowHome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Site", "running_site"]

_PATIENCE_S = 600
_ENDED = ("success", "failed")


class Site:
    """Both are ready; connections are made anew for each sample, for servers close old ones."""

    def __init__(self, project: BenchProject, home: AirflowHome) -> None:
        self.project = project
        self.home = home
        account = {"username": home.credentials.username, "password": home.credentials.password}
        asking = Connection(home.url, "", prefix="")
        self.token = str(asking.post("/auth/token", account)["access_token"])
        asking.close()

    @contextmanager
    def connections(self) -> Iterator[tuple[Connection, Connection]]:
        """To Basecamp and to Airflow, both opened."""
        airflow = Connection(self.home.url, self.token, prefix="/api/v2")
        try:
            with self.project.connection() as basecamp:
                basecamp.get("/workflows?limit=1")
                airflow.get("/version")
                yield basecamp, airflow
        finally:
            airflow.close()

    def wait_for_workflows(self, count: int) -> None:
        """Both show that many of the corpus."""
        progress(f"waiting for {count:,} workflows")
        self.project.wait_for_workflows(count)
        path = f"/dags?limit=1&dag_id_pattern={quote(CORPUS)}"
        with self.connections() as (_, airflow):
            wait_until(lambda: airflow.get(path)["total_entries"] >= count, _PATIENCE_S, 0.5)

    def publish(self) -> None:
        """Make every dataset of the project a workflow that can run, and run one."""
        self.project.publish()

    def wait_for_end(self, airflow: Connection, dag_id: str, run_id: str) -> None:
        path = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}"
        wait_until(lambda: airflow.get(path)["state"] in _ENDED, _PATIENCE_S, 0.1)


@contextmanager
def running_site(
    directory: Path,
    workflows: int = 0,
    *,
    datasets: int = 0,
    store_url: str | None = None,
    adjust: Callable[[Path], None] = lambda _configuration: None,
) -> Iterator[Site]:
    """Started with `workflows` of the corpus in a store on this machine, or on an empty
    `store_url`; `datasets` are in the project beside those that it always has.

    `adjust` may change Airflow's configuration file before the start.
    """
    with BenchProject(directory / "project", datasets) as project:
        store = project.root / STATE / "store"
        corpus.write_store(store, workflows)
        home = AirflowHome(directory / "airflow", ENVIRONMENT)
        home.install(progress)
        home.configure(store_url or store.as_uri(), Owner(project.root))
        adjust(home.folder / "airflow.cfg")
        project.env |= {
            "BASECAMP_ENGINE": "airflow",
            "BASECAMP_AIRFLOW_URL": home.url,
            "BASECAMP_AIRFLOW_USERNAME": home.credentials.username,
            "BASECAMP_AIRFLOW_PASSWORD": home.credentials.password,
        }
        if store_url:
            project.env["BASECAMP_SPEC_STORE_URL"] = store_url
        progress("starting Airflow and Basecamp")
        try:
            home.start()
            home.wait_healthy()
            project.up()
            yield Site(project, home)
        finally:
            project.dli("down").run()
            home.stop()
