"""The execution context: what an API object needs to know about project, server and mode."""

import json
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dli.config import find_project_root, server_block
from dli.models.common import SQLDialect
from dli.models.state import ExecutionMode

__all__ = ["ExecutionContext"]

_PREFIX = "DLI_"
_ENV_FILE = Path(".env")


class ExecutionContext(BaseModel):
    """Settings of an API object.

    An argument wins over the `DLI_*` variable of the same name, that over `.env` in the working
    directory. With a project and no `server_url`, the `server` block of the project's `dli.yaml`
    supplies URL, timeout and token, which `model_fields_set` then leaves out. `parameters` are
    defaults for declared parameters; they are never sent with workflow runs. `timeout` is in
    seconds.
    """

    model_config = ConfigDict(
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
            parameters: dict[str, Any] = ...,
            verbose: bool = False,
            mock_mode: bool = False,
        ) -> None: ...

    else:

        def __init__(self, *, mock_mode: bool = False, **given: Any) -> None:
            if mock_mode:
                given.setdefault("execution_mode", ExecutionMode.MOCK)
            super().__init__(**{**_variables(type(self)), **given})
            self._ask_project()

    @property
    def mock_mode(self) -> bool:
        """Deprecated, removed in 0.5: whether `execution_mode` is MOCK."""
        warnings.warn(
            "mock_mode is deprecated, use execution_mode", DeprecationWarning, stacklevel=2
        )
        return self.execution_mode is ExecutionMode.MOCK

    def _ask_project(self) -> None:
        """Let the project's files fill what nobody gave; `model_fields_set` leaves that out."""
        if self.project_path is None:
            self._fill(project_path=os.environ.get("DLI_HOME") or None)
        if self.project_path is None or self.server_url:
            return
        root = find_project_root(self.project_path, os.environ)
        server = server_block(root, os.environ) if root else {}
        # The key is for the host that stands beside it, never for another one.
        if server.get("url"):
            token, timeout = server.get("api_key"), server.get("timeout")
            self._fill(server_url=server["url"], api_token=token, timeout=timeout)

    def _fill(self, **values: Any) -> None:
        for name, value in values.items():
            is_given = name in self.model_fields_set and getattr(self, name) is not None
            if value is not None and not is_given:
                setattr(self, name, value)
                self.model_fields_set.discard(name)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            if name == "server_url" and value is not None:
                yield name, _without_user_info(value)
            else:
                yield name, value.value if isinstance(value, Enum) else value


def _variables(model: type[BaseModel]) -> dict[str, Any]:
    """The fields that variables, or `.env` in the working directory, give; an empty one gives none.

    Written out, for a library that does so takes as long to import as all of pydantic.
    """
    known = {**_named(_env_file()), **_named(os.environ)}
    given: dict[str, Any] = {name: known[name] for name in model.model_fields if name in known}
    if "parameters" in given:
        given["parameters"] = _json_value(given["parameters"])
    return given


def _env_file() -> Mapping[str, str | None]:
    if not _ENV_FILE.is_file():
        return {}
    from dotenv import dotenv_values

    return dotenv_values(_ENV_FILE, encoding="utf-8")


def _named(variables: Mapping[str, str | None]) -> dict[str, str]:
    """Those of ours by the names of their fields; upper and lower case are the same."""
    ours = ((name.upper(), value) for name, value in variables.items())
    return {
        name.removeprefix(_PREFIX).lower(): value
        for name, value in ours
        if value and name.startswith(_PREFIX)
    }


def _json_value(text: str) -> Any:
    """What is no JSON stays as it is: the model says which field cannot be used."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _without_user_info(url: str) -> str:
    return re.sub(r"//[^/?#]*@", "//", url)
