"""What has crashed is started again; what cannot start is reported and stopped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from basecamp.engines.airflow.configuration import Credentials
from basecamp.engines.airflow.home import AirflowStartError, PartState
from basecamp.engines.airflow.supervisor import AirflowSupervisor
from basecamp.settings import Settings
from process import wait_for


class Home:
    """In the place of a real home; notes what it is asked to do."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.asked: list[str] = []
        self.is_running = True
        self.url = "http://127.0.0.1:1"
        self.credentials = Credentials("basecamp", "canary", "", "", "")
        self._trouble = trouble

    def __getattr__(self, name: str) -> Callable[..., list[str]]:
        def note(*_: object, **__: object) -> list[str]:
            self.asked.append(name)
            self.is_running = self.is_running or name == "revive"
            return []

        return note

    def wait_healthy(self) -> None:
        if self._trouble is not None:
            raise self._trouble

    def parts(self) -> list[PartState]:
        return [PartState("scheduler", self.is_running, 1, Path("scheduler.log"))]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_LOOK_S", "_SHORTEST_PAUSE_S"):
        monkeypatch.setattr(f"basecamp.engines.airflow.supervisor.{name}", 0.01)


def supervisor(home: Any, folder: Path) -> AirflowSupervisor:
    settings = Settings(project=folder, state_dir=folder, engine="airflow", airflow_managed=True)
    return AirflowSupervisor(settings, home)


def test_it_installs_configures_starts_and_stops(tmp_path: Path) -> None:
    home = Home()
    found = supervisor(home, tmp_path)
    assert (found.access.url, found.access.username) == (home.url, "basecamp")
    found.start()
    found.stop()
    assert home.asked == ["install", "configure", "start", "stop"]


def test_what_has_ended_is_started_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = Home()
    found = supervisor(home, tmp_path)
    found.start()
    home.is_running = False
    wait_for(lambda: "revive" in home.asked)
    found.stop()
    assert home.is_running
    assert [record.message for record in caplog.records] == ["airflow.ended"]


def test_one_that_cannot_start_says_so_and_can_be_stopped(tmp_path: Path) -> None:
    home = Home(AirflowStartError("Airflow does not work: scheduler has ended."))
    found = supervisor(home, tmp_path)
    with pytest.raises(AirflowStartError, match="scheduler has ended"):
        found.start()
    found.stop()
    assert home.asked[-1] == "stop"
