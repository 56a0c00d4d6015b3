"""What the managed Airflow is told: its configuration file, accounts and keys."""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Configuration", "Credentials", "Owner", "free_port", "write_private"]

_BUNDLE = "dli_airflow.bundle.SpecBundle"
_LOOPBACK = "127.0.0.1"
_WORDY = (
    "airflow.dag_processing.collection",
    "airflow.models.dag",
    "airflow.serialization.definitions.dag",
)
"""Each says one line about every DAG of a file at each parse."""


@dataclass(frozen=True)
class Credentials:
    """Made once per home, so that tokens and sessions survive a restart."""

    username: str
    password: str
    jwt_secret: str
    fernet_key: str
    secret_key: str

    @classmethod
    def at(cls, path: Path) -> Credentials:
        """Those of the file, which is made when it is not there."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            made = cls(
                username="basecamp",
                password=secrets.token_urlsafe(24),
                jwt_secret=secrets.token_hex(64),
                fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
                secret_key=secrets.token_hex(32),
            )
            write_private(path, json.dumps(asdict(made), indent=1))
            return made


@dataclass(frozen=True)
class Owner:
    """Whose datasets Airflow runs; templates may read the environment variables `template_env`."""

    project: Path
    template_env: tuple[str, ...] = ()


@dataclass(frozen=True)
class Configuration:
    """One managed Airflow. `bundles` replaces the bundle that reads the spec store."""

    home: Path
    store_url: str
    port: int
    credentials: Credentials
    database_url: str | None = None
    bundles: tuple[Mapping[str, Any], ...] = ()

    @property
    def url(self) -> str:
        return f"http://{_LOOPBACK}:{self.port}"

    @property
    def metadata_url(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'airflow.db'}"

    @property
    def is_written(self) -> bool:
        """Whether the files say this already."""
        try:
            found = {name: (self.home / name).read_text(encoding="utf-8") for name in self._files()}
        except FileNotFoundError:
            return False
        return found == self._files()

    def write(self) -> None:
        """Write `airflow.cfg` and the password file, both for their owner only."""
        for name, text in self._files().items():
            write_private(self.home / name, text)

    def _files(self) -> dict[str, str]:
        lines = ["# Written by Basecamp; what is changed here is lost at the next start.", ""]
        for section, options in self.sections().items():
            lines.append(f"[{section}]")
            lines += [f"{name} = {_escaped(value)}" for name, value in options.items()]
            lines.append("")
        account = {self.credentials.username: self.credentials.password}
        return {"airflow.cfg": "\n".join(lines), "passwords.json": json.dumps(account)}

    def sections(self) -> dict[str, dict[str, object]]:
        """Every option that differs from Airflow's default."""
        keys = self.credentials
        return {
            "core": {
                "load_examples": False,
                "dags_folder": self.home / "dags",
                "dags_are_paused_at_creation": False,
                "min_serialized_dag_update_interval": 0,  # else an edit may wait for an hour
                "parallelism": 4,  # workers are forked at once, each holds memory
                "executor": "LocalExecutor",
                "execution_api_server_url": f"{self.url}/execution/",
                "hostname_callable": "socket.gethostname",
                "fernet_key": keys.fernet_key,
                "simple_auth_manager_users": f"{keys.username}:admin",
                "simple_auth_manager_passwords_file": self.home / "passwords.json",
            },
            "database": {"sql_alchemy_conn": self.metadata_url},
            "logging": {
                "base_log_folder": self.home / "logs",
                "namespace_levels": " ".join(f"{name}=WARNING" for name in _WORDY),
            },
            "api": {
                "host": _LOOPBACK,
                "port": self.port,
                "base_url": self.url,
                "workers": 1,
                "secret_key": keys.secret_key,
                "maximum_page_limit": 1000,
            },
            "api_auth": {"jwt_secret": keys.jwt_secret},
            "workers": {"min_heartbeat_interval": 1},  # a stopped run ends within a second
            "scheduler": {
                "scheduler_idle_sleep_time": 0.2,
                # What a killed scheduler has left runs again a minute after the next start.
                "orphaned_tasks_check_interval": 15,
            },
            "dag_processor": {
                # A shard is parsed when it has changed, or when Basecamp asks for it.
                "min_file_process_interval": 3600,
                "refresh_interval": 10,  # each look costs a query for all DAGs
                "bundle_refresh_check_interval": 1,
                "dag_bundle_storage_path": self.home / "bundles",
                "dag_bundle_config_list": json.dumps(self._bundles()),
            },
            "usage_data_collection": {"enabled": False},
        }

    def _bundles(self) -> list[Mapping[str, Any]]:
        spec_bundle = {
            "name": "dli",
            "classpath": _BUNDLE,
            "kwargs": {"store_url": self.store_url},
        }
        return list(self.bundles) or [spec_bundle]


def write_private(path: Path, text: str) -> None:
    """Write a file whole, readable by its owner only."""
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def free_port(preferred: int | None = None) -> int:
    """The preferred port of this machine while it is free, else any free one."""
    for port in (preferred, 0):
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port is free")


def _escaped(value: object) -> str:
    """Airflow reads `%` as the beginning of a reference."""
    return str(value).replace("%", "%%")
