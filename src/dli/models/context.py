"""The execution context: what an API object needs to know about project, server and mode."""

import os
import re
import warnings
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from dli.exceptions import ConfigurationError
from dli.models.common import SQLDialect
from dli.models.state import ExecutionMode

__all__ = ["ExecutionContext"]


class ExecutionContext(BaseSettings):
    """Settings of an API object.

    An argument wins over the `DLI_*` variable of the same name, that over `.env` in the working
    directory. With a project and no `server_url`, the `server` block of the project's `dli.yaml`
    supplies URL, timeout and token. `parameters` are defaults for declared parameters; they are
    never sent with workflow runs. `timeout` is in seconds.
    """

    model_config = SettingsConfigDict(
        env_prefix="DLI_",
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        validate_assignment=True,
        hide_input_in_errors=True,  # the token is an input
    )

    project_path: Path | None = None
    server_url: str | None = None
    api_token: str | None = Field(default=None, repr=False, exclude=True)
    execution_mode: ExecutionMode = ExecutionMode.LOCAL
    timeout: int = Field(default=300, ge=1, le=3600)
    dry_run: bool = False
    dialect: SQLDialect = "trino"
    parameters: dict[str, Any] = Field(default_factory=dict, repr=False)
    verbose: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            project_path: Path | str | None = None,
            server_url: str | None = None,
            api_token: str | None = None,
            execution_mode: ExecutionMode | Literal["local", "server", "mock"] = ...,
            timeout: int = 300,
            dry_run: bool = False,
            dialect: SQLDialect = "trino",
            parameters: dict[str, Any] | None = None,
            verbose: bool = False,
            mock_mode: bool = False,
        ) -> None: ...

    else:

        def __init__(self, *, mock_mode: bool = False, **given: Any) -> None:
            if mock_mode:
                given.setdefault("execution_mode", ExecutionMode.MOCK)
            super().__init__(**given)

    @property
    def mock_mode(self) -> bool:
        """Deprecated, removed in 0.5: whether `execution_mode` is MOCK."""
        warnings.warn(
            "mock_mode is deprecated, use execution_mode", DeprecationWarning, stacklevel=2
        )
        return self.execution_mode is ExecutionMode.MOCK

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            if name == "server_url" and value is not None:
                yield name, _without_user_info(value)
            else:
                yield name, value.value if isinstance(value, Enum) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (not offered)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, _ProjectSource(settings_cls)


class _ProjectSource(PydanticBaseSettingsSource):
    """What the project says, where nothing before said more: the last layer before the defaults."""

    def __call__(self) -> dict[str, Any]:
        path = self.current_state.get("project_path") or os.environ.get("DLI_HOME")
        if not path:
            return {}
        found: dict[str, Any] = {"project_path": path}
        if not self.current_state.get("server_url"):
            found |= _server_block(Path(path))
        return found

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError


def _without_user_info(url: str) -> str:
    return re.sub(r"//[^/?#]*@", "//", url)


def _server_block(root: Path) -> dict[str, Any]:
    """URL, timeout and token of the `server` block, under the names of the context."""
    import yaml

    file = root / "dli.yaml"
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError:
        return {}  # whoever needs the project says what is wrong with it
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        message = "dli.yaml cannot be read as YAML"
        raise ConfigurationError(message, config_path=file) from exc
    server = content.get("server") if isinstance(content, dict) else None
    # A key is for the host that the file names, never for another one.
    if not isinstance(server, dict) or not server.get("url"):
        return {}
    names = {"server_url": "url", "timeout": "timeout", "api_token": "api_key"}
    return {name: server[key] for name, key in names.items() if server.get(key) is not None}
