"""Keeps the processes of a managed Airflow running while the server runs."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from basecamp.engines.airflow.configuration import Owner
from basecamp.engines.airflow.connection import Access
from basecamp.engines.airflow.home import AirflowHome

if TYPE_CHECKING:
    from basecamp.settings import Settings

__all__ = ["AirflowSupervisor", "home_of"]

_log = logging.getLogger(__name__)
_LOOK_S = 1.0
_SHORTEST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_STEADY_S = 60.0
"""What has run for so long did not end because of how it was started."""


def home_of(settings: Settings) -> AirflowHome:
    """The home of the Airflow that belongs to this server's state."""
    return AirflowHome(settings.state_dir / "airflow", settings.airflow_environment)


class AirflowSupervisor:
    """Installs and configures the Airflow at once, starts it later, and again when it crashes."""

    def __init__(
        self, settings: Settings, home: AirflowHome | None = None, *, is_new: bool = False
    ) -> None:
        """Bring the home to what the settings say; `is_new` after another engine.

        Raises:
            AirflowInstallError: its packages could not be had.
            AirflowStartError: its metadata could not be prepared.
        """
        self._home = home or home_of(settings)
        if is_new:
            self._home.forget()
        self._home.install(lambda line: _log.info("airflow.install", extra={"step": line}))
        owner = Owner(settings.project, settings.template_env)
        self._home.configure(
            settings.spec_store_url or (settings.state_dir / "store").as_uri(),
            owner,
            database_url=settings.airflow_database_url or None,
        )
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="airflow-supervisor", daemon=True)

    @property
    def access(self) -> Access:
        keys = self._home.credentials
        return Access(self._home.url, keys.username, keys.password)

    def start(self) -> None:
        """Start what does not run yet, wait until all of it works, and look after it from then on.

        Raises:
            AirflowStartError: a process ended or gave no sign of life.
        """
        self._home.start()
        self._home.wait_healthy()
        self._thread.start()

    def stop(self) -> None:
        """Stop Airflow."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join()
        for name in self._home.stop():
            _log.warning("airflow.killed", extra={"part": name})

    def _loop(self) -> None:
        pause_s, steady_s = _SHORTEST_PAUSE_S, 0.0
        while not self._end.wait(_LOOK_S):
            ended = [part for part in self._home.parts() if not part.is_running]
            if not ended:
                steady_s += _LOOK_S
                if steady_s >= _STEADY_S:
                    pause_s = _SHORTEST_PAUSE_S
                continue
            for part in ended:
                _log.error("airflow.ended", extra={"part": part.name, "log": str(part.log)})
            if self._end.wait(pause_s):
                return
            pause_s, steady_s = min(pause_s * 2, _LONGEST_PAUSE_S), 0.0
            self._home.revive()
