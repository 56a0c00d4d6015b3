"""`ConfigAPI`: what the project, the environment and the server say about themselves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dli import __version__
from dli.api.argument import check_text
from dli.api.facade import Facade
from dli.api.project import find_root, require_root
from dli.api.server import connect
from dli.config import MASK, Settings, current_environment
from dli.exceptions import ConfigurationError
from dli.models.common import ConfigValue, EnvironmentInfo

if TYPE_CHECKING:
    from dli.models.common import ExecutionContext

__all__ = ["ConfigAPI"]

_PROJECT_KEYS = (
    "project.name",
    "project.description",
    "server.url",
    "server.timeout",
    "defaults.dialect",
    "defaults.timeout_seconds",
)
_MOCK_URL = "http://mock-server"


class ConfigAPI(Facade):
    """The configuration, read-only: nothing here changes a file, a variable or the context."""

    def __init__(self, context: ExecutionContext | None = None) -> None:
        super().__init__(context)

    def get(self, key: str) -> ConfigValue | None:
        """A value of the project's files (source `config`) or of the context (source `context`).

        `None` for an unknown key and for one that nobody has set.
        """
        check_text(key=key)
        if key not in _PROJECT_KEYS:
            return None
        from_context = {"server.url": self.context.server_url, "defaults.dialect": None}
        found = None
        if self.context.project_path is not None or find_root(self.context) is not None:
            found = Settings(require_root(self.context), os.environ).in_files(key)
        given = from_context.get(key)
        # The context takes the URL from the project's files itself when it was not given one.
        if found is not None and given in (None, found.value):
            return ConfigValue(key=key, value=found.value)
        if key == "defaults.dialect":
            given = self.context.dialect
        return None if given is None else ConfigValue(key=key, value=given, source="context")

    def list_environments(self) -> list[EnvironmentInfo]:
        """The project's environments, connection strings as `***`."""
        if self._is_mock:
            names = ("dev", "staging", "prod")
            return [EnvironmentInfo(name=name, is_active=name == "dev") for name in names]
        current = self.get_current_environment()
        environments = Settings(require_root(self.context), os.environ).environments()
        return [
            EnvironmentInfo(
                name=name,
                connection_string=MASK if values.get("connection_string") else None,
                is_active=name == current,
            )
            for name, values in environments.items()
        ]

    def get_current_environment(self) -> str:
        """`DLI_ENV`, or `dev`."""
        return current_environment(os.environ)

    def get_server_status(self) -> dict[str, Any]:
        """`{healthy, url, version}` after a real health call, else `{healthy, url, error}`."""
        if self._is_mock:
            return {"healthy": True, "url": _MOCK_URL, "version": __version__}
        try:
            client = connect(self.context)
        except ConfigurationError as error:
            return {"healthy": False, "url": None, "error": str(error)}
        with client:
            response = client.health_check()
        record = response.data if isinstance(response.data, dict) else {}
        if response.success and record.get("status") == "ok":
            version = record.get("version")
            return {"healthy": True, "url": client.config.url, "version": version}
        error_text = response.error or "The server does not say that it is well"
        return {"healthy": False, "url": client.config.url, "error": error_text}
