"""What the operator may set for the server: `BASECAMP_*` variables, read once, frozen."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from basecamp.provider.settings import (
    PeopleProvider,
    Workload,
    checked,
    groups_in,
    workloads_in,
)
from basecamp.rate import NO_LIMIT, Rate
from dli.exceptions import ConfigurationError
from dli.notification import settings_in
from dli.outgoing import VARIABLE, Destinations, proxies_in
from dli.span import endpoints_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_ENGINES = ("embedded", "airflow")
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_RATE = re.compile(r"[1-9][0-9]{0,5}/[1-9][0-9]{0,5}", re.ASCII)
_READ_RATE, _CHANGE_RATE, _RUN_RATE = Rate(50, 100), Rate(10, 50), Rate(1, 1)
_FLAG_WORDS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Settings:
    """Everything that may differ between two servers. `port` 0 takes a free port."""

    project: Path
    state_dir: Path
    host: str = "127.0.0.1"
    port: int = 0
    allow_remote: bool = False
    allowed_hosts: tuple[str, ...] = ()
    read_rate: Rate = _READ_RATE
    change_rate: Rate = _CHANGE_RATE
    run_rate: Rate = _RUN_RATE
    worker_slots: int = 4
    worker_idle_seconds: int = 60
    worker_memory_mb: int = 0
    reconcile_seconds: int = 60
    keep_days: int = 90
    keep_runs: int = 1_000
    keep_log_days: int = 90
    template_env: tuple[str, ...] = ()
    log_level: str = "INFO"
    engine: str = "embedded"
    database_url: str = field(default="", repr=False)
    spec_store_url: str = ""
    airflow_url: str = ""
    airflow_username: str = ""
    airflow_password: str = field(default="", repr=False)
    airflow_token: str = field(default="", repr=False)
    airflow_managed: bool = False
    airflow_environment: Path | None = None
    airflow_database_url: str = field(default="", repr=False)
    people: PeopleProvider | None = None
    workloads: tuple[Workload, ...] = ()
    notify: Mapping[str, str] = field(default_factory=dict, repr=False)
    destinations: Destinations = field(default_factory=Destinations, repr=False)

    def __post_init__(self) -> None:
        if self.database_url and not self.spec_store_url:
            raise ConfigurationError(
                "With BASECAMP_DATABASE_URL set BASECAMP_SPEC_STORE_URL, too: servers on one "
                "database share their spec store."
            )
        if self.engine == "airflow":
            _check_airflow(self)
        if not self.allow_remote and not _is_loopback(self.host):
            raise ConfigurationError(
                "Basecamp listens on this machine only. To listen elsewhere set "
                "BASECAMP_ALLOW_REMOTE=true, BASECAMP_ALLOWED_HOSTS and a proxy that speaks TLS."
            )

    @classmethod
    def from_env(
        cls,
        env: Mapping[str, str],
        *,
        project: Path,
        host: str | None = None,
        port: int | None = None,
    ) -> Settings:
        """Settings from variables; `host` and `port` given on the command line win.

        Raises:
            ConfigurationError: a value is not of its type or out of range (DLI-001).
        """
        read = _Reader(env)
        people = _people(read, env)
        workloads = workloads_in(env.get("BASECAMP_WORKLOADS", ""))
        issuers = [one.issuer for one in (people, *workloads) if one is not None]
        state_dir = env.get("BASECAMP_STATE_DIR")
        return cls(
            project=project,
            state_dir=project / (state_dir or ".dli"),
            host=host if host is not None else env.get("BASECAMP_HOST", cls.host),
            port=port if port is not None else read.number("PORT", cls.port, 0, 65_535),
            allow_remote=read.flag("ALLOW_REMOTE", default=cls.allow_remote),
            allowed_hosts=read.names("ALLOWED_HOSTS"),
            read_rate=read.rate("READ_RATE", cls.read_rate),
            change_rate=read.rate("CHANGE_RATE", cls.change_rate),
            run_rate=read.rate("RUN_RATE", cls.run_rate),
            worker_slots=read.number("WORKER_SLOTS", cls.worker_slots, 1, 64),
            worker_idle_seconds=read.number(
                "WORKER_IDLE_SECONDS", cls.worker_idle_seconds, 1, 86_400
            ),
            worker_memory_mb=read.number("WORKER_MEMORY_MB", cls.worker_memory_mb, 0, 1_048_576),
            keep_days=read.number("KEEP_DAYS", cls.keep_days, 1, 36_500),
            keep_runs=read.number("KEEP_RUNS", cls.keep_runs, 1, 1_000_000),
            keep_log_days=read.number("KEEP_LOG_DAYS", cls.keep_log_days, 1, 36_500),
            reconcile_seconds=read.number("RECONCILE_SECONDS", cls.reconcile_seconds, 1, 86_400),
            template_env=read.names("TEMPLATE_ENV"),
            log_level=read.choice("LOG_LEVEL", cls.log_level, _LOG_LEVELS),
            engine=read.choice("ENGINE", cls.engine, _ENGINES),
            database_url=env.get("BASECAMP_DATABASE_URL", ""),
            spec_store_url=env.get("BASECAMP_SPEC_STORE_URL", ""),
            airflow_url=env.get("BASECAMP_AIRFLOW_URL", ""),
            airflow_username=env.get("BASECAMP_AIRFLOW_USERNAME", ""),
            airflow_password=env.get("BASECAMP_AIRFLOW_PASSWORD", ""),
            airflow_token=env.get("BASECAMP_AIRFLOW_TOKEN", ""),
            airflow_managed=read.flag("AIRFLOW_MANAGED", default=cls.airflow_managed),
            airflow_environment=read.folder("AIRFLOW_ENVIRONMENT"),
            airflow_database_url=env.get("BASECAMP_AIRFLOW_DATABASE_URL", ""),
            people=people,
            workloads=workloads,
            notify=settings_in(env),
            destinations=_destinations(env, issuers),
        )

    @property
    def host_names(self) -> frozenset[str]:
        """Names under which a browser or client may address the server."""
        own = f"[{self.host}]" if ":" in self.host else self.host
        return frozenset(name.lower() for name in (*_LOOPBACK_NAMES, own, *self.allowed_hosts))


def _destinations(env: Mapping[str, str], issuers: Iterable[str]) -> Destinations:
    """Where the server itself may connect to: what its operator has named. It has no other calls.

    A managed Airflow is on this machine.
    """
    named = [env.get("BASECAMP_AIRFLOW_URL") or "127.0.0.1", env.get("AWS_ENDPOINT_URL", "")]
    named += endpoints_in(env)
    try:
        return Destinations.named_in([*named, *issuers, *proxies_in(env)], env.get(VARIABLE, ""))
    except ValueError as exc:
        message = f"{VARIABLE} must be hosts, addresses or networks, with commas."
        raise ConfigurationError(message) from exc


class _Reader:
    """Typed access to `BASECAMP_*`; a message names the variable and never its value."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def number(self, name: str, default: int, low: int, high: int) -> int:
        text = self._text(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise _refused(name, f"a whole number from {low} to {high}")
        return int(text)

    def rate(self, name: str, default: Rate) -> Rate:
        text = self._text(name)
        if text is None:
            return default
        if text == "0":
            return NO_LIMIT
        if _RATE.fullmatch(text) is None:
            raise _refused(name, "as 50/100, which is 50 a second and 100 at once, or 0")
        per_second, burst = map(int, text.split("/"))
        return Rate(per_second, burst)

    def flag(self, name: str, *, default: bool) -> bool:
        text = self._text(name)
        if text is None:
            return default
        if text.lower() not in _FLAG_WORDS:
            raise _refused(name, "true or false")
        return _FLAG_WORDS[text.lower()]

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        text = self._text(name) or default
        for word in allowed:
            if word.lower() == text.lower():
                return word
        raise _refused(name, "one of " + ", ".join(allowed))

    def names(self, name: str) -> tuple[str, ...]:
        parts = (part.strip() for part in (self._text(name) or "").split(","))
        return tuple(part for part in parts if part)

    def folder(self, name: str) -> Path | None:
        text = self._text(name)
        return None if text is None else Path(text).expanduser().absolute()

    def _text(self, name: str) -> str | None:
        return self._env.get(f"BASECAMP_{name}") or None


def _people(read: _Reader, env: Mapping[str, str]) -> PeopleProvider | None:
    if not env.get("BASECAMP_OIDC_ISSUER"):
        if any(name.startswith("BASECAMP_OIDC_") and env[name] for name in env):
            raise ConfigurationError("The settings BASECAMP_OIDC_* need BASECAMP_OIDC_ISSUER.")
        return None
    cls = PeopleProvider
    scopes = env.get("BASECAMP_OIDC_SCOPES")
    return checked(
        PeopleProvider(
            issuer=env["BASECAMP_OIDC_ISSUER"],
            client_id=env.get("BASECAMP_OIDC_CLIENT_ID", ""),
            client_secret=env.get("BASECAMP_OIDC_CLIENT_SECRET", ""),
            groups=groups_in(env.get("BASECAMP_OIDC_GROUPS", "{}")),
            groups_claim=env.get("BASECAMP_OIDC_GROUPS_CLAIM") or cls.groups_claim,
            name_claim=env.get("BASECAMP_OIDC_NAME_CLAIM") or cls.name_claim,
            scopes=tuple(scopes.split()) if scopes else cls.scopes,
            redirect_port=read.number("OIDC_REDIRECT_PORT", cls.redirect_port, 0, 65_535),
            session_hours=read.number("OIDC_SESSION_HOURS", cls.session_hours, 1, 24),
        )
    )


def _refused(name: str, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"BASECAMP_{name} must be {wanted}.")


def _check_airflow(settings: Settings) -> None:
    """An address without an account in it, and one account: nothing to guess at the first call."""
    if settings.airflow_managed:
        if settings.airflow_url:
            message = "BASECAMP_AIRFLOW_MANAGED and BASECAMP_AIRFLOW_URL exclude each other."
            raise ConfigurationError(message)
        return
    if not _is_address(settings.airflow_url):
        raise _refused("AIRFLOW_URL", "http(s)://host[:port][/path] of an Airflow, without account")
    has_password = bool(settings.airflow_username and settings.airflow_password)
    if has_password == bool(settings.airflow_token):
        raise ConfigurationError(
            "Give Airflow's account with BASECAMP_AIRFLOW_USERNAME and BASECAMP_AIRFLOW_PASSWORD, "
            "or a token with BASECAMP_AIRFLOW_TOKEN, and not both."
        )


def _is_address(text: str) -> bool:
    try:
        url = urlsplit(text)
        is_web = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        return False
    return is_web and url.username is None and not url.query and not url.fragment


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
