"""A real Airflow for tests, from the environment that all of them share, and a way to ask it."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from basecamp.engines.airflow.configuration import Owner
from basecamp.engines.airflow.home import AirflowHome
from process import wait_for

__all__ = ["ENVIRONMENT", "TestAirflow", "local_bundle", "running_airflow"]

ENVIRONMENT = Path(__file__).parents[2] / ".airflow" / "venv"
"""Kept between test runs; installed again only when the lock has changed."""
PATIENCE_S = 180


@dataclass
class TestAirflow:
    """One managed Airflow; `ask` speaks to it as its admin."""

    __test__ = False

    home: AirflowHome
    _token: str = field(default="", repr=False)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of an answer of `/api/v2`."""
        if not self._token:
            self._token = self._log_in()
        return self._send(method, f"/api/v2{path}", body, f"Bearer {self._token}")

    def get(self, path: str) -> Any:
        status, found = self.ask("GET", path)
        assert status == 200, (status, found)
        return found

    def trigger(self, dag_id: str, run_id: str, **conf: object) -> None:
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        status, found = self.ask("POST", f"/dags/{dag_id}/dagRuns", body)
        assert status == 200, (status, found)

    def state_of(self, dag_id: str, run_id: str) -> str:
        return str(self.get(f"/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def wait_for_state(self, dag_id: str, run_id: str, *states: str) -> str:
        return wait_for(
            lambda: state if (state := self.state_of(dag_id, run_id)) in states else None,
            PATIENCE_S,
        )

    def wait_for_dag(self, dag_id: str) -> None:
        wait_for(lambda: self.ask("GET", f"/dags/{dag_id}")[0] == 200, PATIENCE_S)

    def _log_in(self) -> str:
        keys = self.home.credentials
        account = {"username": keys.username, "password": keys.password}
        status, found = self._send("POST", "/auth/token", account)
        assert status == 201, (status, found)
        return str(found["access_token"])

    def _send(self, method: str, path: str, body: object, token: str = "") -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.home.url}{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", token)
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode("utf-8", "replace")


def local_bundle(folder: Path) -> Mapping[str, Any]:
    """Plain DAG files, for tests of Airflow itself."""
    return {
        "name": "local",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(folder), "refresh_interval": 1},
    }


@contextmanager
def running_airflow(
    folder: Path,
    project: Path,
    store_url: str,
    *bundles: Mapping[str, Any],
    database_url: str | None = None,
) -> Iterator[TestAirflow]:
    """Started for the block, stopped at its end; `bundles` instead of the one for specs."""
    home = AirflowHome(folder, ENVIRONMENT)
    home.install(_tell)
    home.configure(store_url, Owner(project), database_url=database_url, bundles=bundles)
    try:
        home.start()
        home.wait_healthy()
        yield TestAirflow(home)
    finally:
        home.stop()


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
