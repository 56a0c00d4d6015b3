"""Tokens of servers in the system's keyring, which `dli login` fills.

A list of the servers, without secrets, lies in `~/.dli/logins.json`: the keyring takes its time to
load and may ask for a password, so it is only asked about a server that is in there.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dli.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["keep", "remove", "stored"]

_SERVICE = "dli"


def stored(url: str, env: Mapping[str, str]) -> str | None:
    """The token kept for a server.

    Raises:
        ConfigurationError: there is one, and the keyring cannot be read (001).
    """
    if url.rstrip("/") not in _servers(env):
        return None
    found: str | None = _ask("get_password", _SERVICE, url.rstrip("/"))
    return found


def keep(url: str, token: str, env: Mapping[str, str]) -> None:
    """Keep the token of a server in place of an earlier one.

    Raises:
        ConfigurationError: there is no keyring, or it cannot be written (001).
    """
    _ask("set_password", _SERVICE, url.rstrip("/"), token)
    _write({*_servers(env), url.rstrip("/")}, env)


def remove(url: str, env: Mapping[str, str]) -> bool:
    """Forget the token of a server; tells whether there was one.

    Raises:
        ConfigurationError: there is one, and the keyring cannot be written (001).
    """
    known = _servers(env)
    if url.rstrip("/") not in known:
        return False
    if stored(url, env) is not None:
        _ask("delete_password", _SERVICE, url.rstrip("/"))
    _write(known - {url.rstrip("/")}, env)
    return True


def _ask(verb: str, *words: str) -> Any:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        message = "The keyring needs the extra `login`: pip install 'dli[login]'"
        raise _unusable(message) from None
    try:
        return getattr(keyring, verb)(*words)
    except keyring.errors.KeyringError as error:
        message = f"The keyring of this system cannot be used ({type(error).__name__})"
        raise _unusable(message) from error


def _unusable(message: str) -> ConfigurationError:
    error = ConfigurationError(message)
    error.add_note("Or give the token with DLI_API_TOKEN.")
    return error


def _file(env: Mapping[str, str]) -> Path:
    return Path(env.get("HOME") or Path.home()) / ".dli" / "logins.json"


def _servers(env: Mapping[str, str]) -> set[str]:
    try:
        found = json.loads(_file(env).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    return {one for one in found if isinstance(one, str)} if isinstance(found, list) else set()


def _write(servers: set[str], env: Mapping[str, str]) -> None:
    path = _file(env)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}-{os.getpid()}")
        fresh.write_text(json.dumps(sorted(servers)), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"The list of logins cannot be written: {error.strerror}", config_path=path
        ) from error
