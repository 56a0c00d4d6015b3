"""The managed Airflow: it runs DAGs, stays on this machine, survives crashes and restarts."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from basecamp.engines.airflow.configuration import Owner
from basecamp.engines.airflow.home import AirflowHome, PartState
from basecamp.engines.airflow.process import _session
from managed_airflow import ENVIRONMENT, TestAirflow, local_bundle, running_airflow
from process import wait_for

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"
DAGS = """\
from airflow.sdk import dag, task

@dag(schedule=None)
def quick():
    @task
    def run():
        print("as quick as that")
    run()

@dag(schedule=None)
def slow():
    @task
    def run(dag_run=None):
        import pathlib, time
        place = pathlib.Path(dag_run.conf["folder"])
        (place / "begun").touch()
        print("this takes a while", flush=True)
        while not (place / "go").exists():
            time.sleep(0.1)
    run()

quick(), slow()
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestAirflow]:
    folder = tmp_path_factory.mktemp("airflow")
    (folder / "files").mkdir()
    (folder / "files" / "both.py").write_text(DAGS)
    bundle = local_bundle(folder / "files")
    with running_airflow(folder / "home", FLIGHTS, "file:///nowhere", bundle) as airflow:
        airflow.wait_for_dag("slow")
        yield airflow


def pids(parts: list[PartState]) -> dict[str, int | None]:
    return {part.name: part.pid for part in parts}


def test_a_run_ends_well_and_leaves_its_log(airflow: TestAirflow) -> None:
    airflow.trigger("quick", "first")
    assert airflow.wait_for_state("quick", "first", "success", "failed") == "success"
    log = airflow.get("/dags/quick/dagRuns/first/taskInstances/run/logs/1?full_content=true")
    assert "as quick as that" in str(log)


def test_the_log_of_a_run_can_be_read_while_it_runs(airflow: TestAirflow, tmp_path: Path) -> None:
    airflow.trigger("slow", "watched", folder=str(tmp_path))
    wait_for((tmp_path / "begun").exists, 120)
    path = "/dags/slow/dagRuns/watched/taskInstances/run/logs/1?full_content=true"
    wait_for(lambda: "this takes a while" in str(airflow.get(path)))
    assert airflow.state_of("slow", "watched") == "running"
    (tmp_path / "go").touch()
    airflow.wait_for_state("slow", "watched", "success")


def test_nothing_of_it_listens_beyond_this_machine(airflow: TestAirflow) -> None:
    leaders = [part.pid for part in airflow.home.parts() if part.pid]
    inodes = {inode for leader in leaders for pid in _session(leader) for inode in sockets(pid)}
    heard = [address for address, inode in listeners() if inode in inodes]
    assert heard
    assert {address for address in heard if not address.startswith("0100007F:")} == set()


def sockets(pid: int) -> Iterator[str]:
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(handle.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            yield target[8:-1]


def listeners() -> Iterator[tuple[str, str]]:
    """Address and inode of each TCP socket of this machine that listens."""
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                yield fields[1], fields[9]


@pytest.mark.parametrize("name", ["scheduler", "dag-processor", "api-server"])
def test_a_part_that_crashes_is_seen_and_started_again(airflow: TestAirflow, name: str) -> None:
    before = pids(airflow.home.parts())
    pid = before[name]
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: pids(airflow.home.parts())[name] is None)
    assert name in airflow.home.silent()
    assert airflow.home.revive() == [name]
    airflow.home.wait_healthy()
    after = pids(airflow.home.parts())
    assert {part for part in after if after[part] != before[part]} == {name}


def test_another_basecamp_finds_it_running(airflow: TestAirflow) -> None:
    successor = AirflowHome(airflow.home.folder, ENVIRONMENT)
    bundle = local_bundle(airflow.home.folder.parent / "files")
    successor.configure("file:///nowhere", Owner(FLIGHTS), bundles=(bundle,))
    assert successor.url == airflow.home.url
    assert successor.revive() == []
    assert successor.silent() == []


def test_after_a_stop_amid_a_run_the_next_start_runs_it_again(
    airflow: TestAirflow, tmp_path: Path
) -> None:
    airflow.trigger("slow", "interrupted", folder=str(tmp_path))
    wait_for((tmp_path / "begun").exists, 120)
    url = airflow.home.url
    leaders = [part.pid for part in airflow.home.parts() if part.pid]
    assert "scheduler" in airflow.home.stop(grace_s=2)
    assert [pid for leader in leaders for pid in _session(leader)] == []
    (tmp_path / "go").touch()
    airflow.home.start()
    airflow.home.wait_healthy()
    assert airflow.home.url == url
    assert airflow.wait_for_state("slow", "interrupted", "success", "failed") == "success"
