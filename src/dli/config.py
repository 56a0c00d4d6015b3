"""Settings in layers, each value with its source, and the server that they lead to.

Order: flag > `DLI_*` variable > the Basecamp that `dli up` runs for the project >
`.dli.local.yaml` > `dli.yaml` > `~/.dli/config.yaml` > default. A file is read, and the YAML parser
imported, only when no layer above it has the value.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dli.credential import stored
from dli.exceptions import ConfigNotFoundError, ConfigurationError
from dli.expansion import UnsetVariableError, expand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "MASK",
    "ServerAddress",
    "ServerState",
    "Setting",
    "Settings",
    "check_server_url",
    "config_file",
    "current_environment",
    "find_project_root",
    "is_alive",
    "make_private",
    "read_server_state",
    "resolve_server",
    "same_server",
    "server_block",
    "settings_files",
    "state_dir",
]

PROJECT_FILE = "dli.yaml"
LOCAL_FILE = ".dli.local.yaml"
MASK = "***"

_FILE_LIMIT_BYTES = 1024 * 1024
_SECRET_WORDS = ("api_key", "token", "password", "secret", "connection_string")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_VARIABLES = {
    "server.url": "DLI_SERVER_URL",
    "server.api_key": "DLI_API_TOKEN",
    "server.timeout": "DLI_TIMEOUT",
    "defaults.dialect": "DLI_DIALECT",
    "environment": "DLI_ENV",
    "execution_mode": "DLI_EXECUTION_MODE",
    "log_level": "DLI_LOG_LEVEL",
    "debug": "DLI_DEBUG",
}

_DEFAULTS: dict[str, Any] = {
    "project.name": "unnamed",
    "project.description": "",
    "discovery.datasets_dir": "datasets",
    "discovery.metrics_dir": "metrics",
    "discovery.quality_dir": "quality",
    "defaults.dialect": "trino",
    "defaults.timeout_seconds": 3600,
    "defaults.retry_count": 2,
    "defaults.retry_delay_seconds": 60,
    "server.url": None,
    "server.timeout": 30,
    "server.api_key": None,
    "environment": "dev",
    "execution_mode": "local",
    "log_level": "WARNING",
    "debug": "0",
}


@dataclass(frozen=True)
class Setting:
    """One effective value and where it comes from; `shown` is safe to print."""

    key: str
    value: Any = field(repr=False)
    source: str

    @property
    def shown(self) -> Any:
        is_secret = any(word in self.key.lower() for word in _SECRET_WORDS)
        return MASK if is_secret and self.value not in (None, "") else self.value


@dataclass(frozen=True)
class ServerState:
    """What a running Basecamp wrote into the project's state folder."""

    url: str
    token: str = field(repr=False)
    pid: int
    version: str = ""
    started_at: str = ""


@dataclass(frozen=True)
class ServerAddress:
    """Where requests go; `source` names the layer of the URL, `timeout` is in seconds."""

    url: str
    token: str | None = field(repr=False)
    source: str
    timeout: int = 30


@dataclass(frozen=True)
class _Layer:
    source: str
    read: Callable[[], Mapping[str, Any]]

    @cached_property
    def content(self) -> Mapping[str, Any]:
        return self.read()

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """Leaf values by dotted key."""
        return dict(_leaves(self.content))

    @property
    def is_file(self) -> bool:
        return self.source.endswith(".yaml")


@dataclass(frozen=True)
class Settings:
    """The layers of one project (`root` is `None` outside of one), read as far as needed."""

    root: Path | None
    env: Mapping[str, str] = field(repr=False)
    flags: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def _layers(self) -> tuple[_Layer, ...]:
        layers = [
            _Layer("flag", lambda: {k: v for k, v in self.flags.items() if v is not None}),
            _Layer("environment", self._from_environment),
        ]
        if self.root is not None:
            root, project_file = self.root, config_file(self.root, self.env)
            layers += [
                _Layer("dli up", lambda: _from_state(read_server_state(root))),
                _Layer(LOCAL_FILE, lambda: _read_yaml(root / LOCAL_FILE)),
                _Layer(project_file.name, lambda: _read_yaml(project_file)),
            ]
        user_file = Path(self.env.get("HOME") or Path.home()) / ".dli" / "config.yaml"
        layers += [
            _Layer("~/.dli/config.yaml", lambda: _read_yaml(user_file)),
            _Layer("default", lambda: _DEFAULTS),
        ]
        return tuple(layers)

    def _from_environment(self) -> dict[str, str]:
        return {key: self.env[name] for key, name in _VARIABLES.items() if self.env.get(name)}

    def get(self, key: str) -> Setting | None:
        """The effective value of a dotted key like `server.url`; `None` for an unknown key."""
        layer = self._find(key)
        return None if layer is None else self._setting(layer, key)

    def _find(self, key: str) -> _Layer | None:
        # An empty value in a file means "not set here"; only the last layer may say "no value".
        known = (layer for layer in self._layers if key in layer.values)
        return next((x for x in known if x.values[key] is not None or x.source == "default"), None)

    def _setting(self, layer: _Layer, key: str) -> Setting:
        value = layer.values[key]
        if layer.is_file and isinstance(value, str):
            try:
                value = expand(value, self.env)
            except UnsetVariableError as error:
                message = f"{key} ({layer.source}) needs the variable {error}, which is not set"
                raise ConfigurationError(message) from None
        return Setting(key, value, layer.source)

    def in_files(self, key: str) -> Setting | None:
        """The value that the project's or the user's files set, if any."""
        files = (layer for layer in self._layers if layer.is_file)
        layer = next((file for file in files if file.values.get(key) is not None), None)
        return None if layer is None else self._setting(layer, key)

    def environments(self) -> dict[str, Mapping[str, Any]]:
        """The entries of `environments`; an upper layer replaces single values of a lower one."""
        found: dict[str, Mapping[str, Any]] = {}
        for layer in reversed(self._layers):
            named = layer.content.get("environments") if layer.is_file else None
            for name, values in (named if isinstance(named, Mapping) else {}).items():
                new = values if isinstance(values, Mapping) else {}
                found[str(name)] = {**found.get(str(name), {}), **new}
        return found

    def __iter__(self) -> Iterator[Setting]:
        for key in sorted({key for layer in self._layers for key in layer.values}):
            layer = self._find(key)
            if layer is None:
                continue
            try:
                yield self._setting(layer, key)
            except ConfigurationError:
                yield Setting(key, layer.values[key], layer.source)  # as it stands in the file

    def server(self) -> ServerAddress | None:
        """The server of these settings, `None` when no layer names one.

        Raises: ConfigurationError (001) for a URL or timeout that cannot be used.
        """
        url = self.get("server.url")
        if url is None or not url.value:
            return None
        check_server_url(url.value)
        running = read_server_state(self.root) if self.root is not None else None
        is_running = running is not None and same_server(running.url, url.value)
        return ServerAddress(
            url=str(url.value).rstrip("/"),
            token=self._token(running if is_running else None) or stored(url.value, self.env),
            source=url.source,
            timeout=self._timeout(look_into_files=url.source != "dli up"),
        )

    def _token(self, running: ServerState | None) -> str | None:
        # The generated token opens the project's own Basecamp; no other host may see it.
        if running is not None:
            return self.env.get(_VARIABLES["server.api_key"]) or running.token
        for layer in self._layers:
            if layer.source != "dli up" and layer.values.get("server.api_key"):
                return str(self._setting(layer, "server.api_key").value)
        return None

    def _timeout(self, *, look_into_files: bool) -> int:
        layers = self._layers if look_into_files else (*self._layers[:2], self._layers[-1])
        found = next(x for x in layers if x.values.get("server.timeout") is not None)
        value = self._setting(found, "server.timeout").value
        seconds = int(value) if str(value).isdecimal() else 0
        if not 1 <= seconds <= 3600:
            message = f"server.timeout ({found.source}) must be a number of seconds from 1 to 3600"
            raise ConfigurationError(message)
        return seconds


def resolve_server(root: Path | None, env: Mapping[str, str]) -> ServerAddress | None:
    """`DLI_SERVER_URL`, else the Basecamp that `dli up` runs for the project, else the files."""
    return Settings(root, env).server()


def find_project_root(start: Path | None, env: Mapping[str, str]) -> Path | None:
    """The nearest directory with a `dli.yaml` at or above `start`.

    `start` defaults to `DLI_HOME`, then to the working directory. `DLI_CONFIG_FILE` names the file
    itself and replaces the lookup.
    Raises: ConfigurationError (002) when that file does not exist.
    """
    named = env.get("DLI_CONFIG_FILE")
    if named:
        path = Path(named).expanduser().resolve()
        if not path.is_file():
            message = "DLI_CONFIG_FILE names a file that does not exist"
            raise ConfigNotFoundError(message, config_path=path)
        return path.parent
    first = Path(start or env.get("DLI_HOME") or Path.cwd()).expanduser().resolve()
    return next((at for at in (first, *first.parents) if (at / PROJECT_FILE).is_file()), None)


def config_file(root: Path, env: Mapping[str, str]) -> Path:
    """The `dli.yaml` of a project, or the file that `DLI_CONFIG_FILE` puts in its place."""
    named = env.get("DLI_CONFIG_FILE")
    return Path(named).expanduser().resolve() if named else root / PROJECT_FILE


def settings_files(root: Path, env: Mapping[str, str]) -> tuple[Path, Path, Path]:
    """The files that hold settings, each over the one before it: the user's, the project's, and
    those for this machine. They need not exist.
    """
    user_file = Path(env.get("HOME") or Path.home()) / ".dli" / "config.yaml"
    return user_file, config_file(root, env), root / LOCAL_FILE


def server_block(root: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """The `server` block that a project's files hold, `.dli.local.yaml` over `dli.yaml`.

    A value with a variable that is not set is left out: perhaps nobody needs the server.
    Raises: ConfigurationError (001) for a file that cannot be read.
    """
    found: dict[str, Any] = {}
    for path in (config_file(root, env), root / LOCAL_FILE):
        block = _read_yaml(path).get("server")
        for key, value in (block if isinstance(block, Mapping) else {}).items():
            with suppress(UnsetVariableError):
                if value is not None:
                    found[str(key)] = expand(value, env) if isinstance(value, str) else value
    return found


def current_environment(env: Mapping[str, str]) -> str:
    """The name of the environment in force."""
    return env.get(_VARIABLES["environment"]) or str(_DEFAULTS["environment"])


def state_dir(root: Path) -> Path:
    """Where a project keeps what its own Basecamp and warehouse store."""
    return root / ".dli"


def make_private(folder: Path) -> None:
    """The folder for its owner only; so is what is missing above it, unlike with `parents=True`.

    Raises: OSError.
    """
    if not folder.parent.exists():
        make_private(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def read_server_state(root: Path) -> ServerState | None:
    """The Basecamp that runs for this project; `None` when there is none or its process is gone."""
    try:
        found = json.loads((state_dir(root) / "basecamp.json").read_bytes())
        state = ServerState(
            url=str(found["url"]),
            token=str(found["token"]),
            pid=int(found["pid"]),
            version=str(found.get("version", "")),
            started_at=str(found.get("started_at", "")),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return state if is_alive(state.pid) else None


def check_server_url(url: object) -> None:
    """Refuse what is not `http(s)://host[:port][/path]`.

    Raises: ConfigurationError (001), without the URL in it: it may hold a password.
    """
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        is_usable = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and "@" not in parts.netloc
            and not (parts.query or parts.fragment)
        )
    except ValueError:
        is_usable = False
    if not is_usable:
        message = "The server URL must be http(s)://host[:port], without user, password or query"
        raise ConfigurationError(message)


def same_server(url: str, other: str) -> bool:
    """Whether two URLs mean one server; the names of this machine are alike."""
    return _origin(url) == _origin(other)


def _origin(url: str) -> tuple[str, str, int | None, str]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return (
        parts.scheme,
        "loopback" if host in _LOOPBACK else host,
        parts.port,
        parts.path.rstrip("/"),
    )


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody waits for (a zombie) does not."""
    if pid <= 0:
        return False
    if sys.platform == "win32":  # there, signal 0 would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except FileNotFoundError:
        return not Path("/proc/self").exists()


def _from_state(state: ServerState | None) -> dict[str, Any]:
    return {} if state is None else {"server": {"url": state.url, "api_key": state.token}}


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ConfigurationError("The file cannot be read", config_path=path) from error
    if len(text) > _FILE_LIMIT_BYTES:
        raise ConfigurationError("The file is larger than 1 MiB", config_path=path)
    import yaml

    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigurationError(f"The file is not valid YAML{where}", config_path=path) from error
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise ConfigurationError("The file must hold keys and values", config_path=path)
    return found


def _leaves(values: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{name}.")
        else:
            yield name, value
