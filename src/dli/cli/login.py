"""`dli login` and `dli logout`: a server's token in the keyring of this system."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from dli.api.reply import record_of
from dli.cli.connection import project_root
from dli.cli.option import path_option
from dli.cli.output import emit, note
from dli.client.basecamp import BasecampClient, ServerConfig
from dli.config import Settings, check_server_url
from dli.credential import keep, remove, stored
from dli.exceptions import ConfigurationError, DLIError

if TYPE_CHECKING:
    from pathlib import Path

_TOKEN_BYTES_MAX = 4096


@click.command()
@click.option("--server", "url", metavar="URL", help="Default: the server of the settings.")
@click.option("--token", help="Seen by others on this machine: better leave it to the prompt.")
@path_option("-p")
def login(*, url: str | None, token: str | None, path: Path | None) -> None:
    """Keep a server's token in the keyring, from stdin or from a prompt.

    From then on every command that goes to this server uses it, unless DLI_API_TOKEN or a file
    has one.
    """
    settings = Settings(project_root(path), os.environ)
    url = _address(settings, url)
    if token is not None:
        note("Warning: --token can be read in the list of processes and in the shell's history.")
    secret = _checked(_read() if token is None else token)
    with BasecampClient(ServerConfig(url, api_key=secret)) as client:
        who = record_of(client.session_begin())
    keep(url, secret, os.environ)
    teams = ", ".join(who["teams"])
    place = f" of {teams}" if teams else ""
    emit(f"Logged in to {url} as {who['name']} ({who['role']}{place}).")
    server = settings.server()
    if server is not None and server.url == url and server.token != secret:
        note("Warning: the settings have another token for this server, which is used instead.")


@click.command()
@click.option("--server", "url", metavar="URL", help="Default: the server of the settings.")
@path_option("-p")
def logout(*, url: str | None, path: Path | None) -> None:
    """Remove a server's token from the keyring; `dli token revoke` makes it useless."""
    url = _address(Settings(project_root(path), os.environ), url)
    secret = stored(url, os.environ)
    if not remove(url, os.environ):
        note(f"There is no login to {url}.")
        return
    emit(f"Logged out of {url}.")
    if secret is not None:
        _tell_server(url, secret)


def _tell_server(url: str, secret: str) -> None:
    with BasecampClient(ServerConfig(url, timeout=5, api_key=secret)) as client:
        try:
            record_of(client.session_end())
        except DLIError as error:
            note(f"The server was not told: {error.message}")


def _address(settings: Settings, given: str | None) -> str:
    if given is None:
        server = settings.server()
        if server is None:
            error = ConfigurationError("server_url required: no server is configured")
            error.add_note("Name it with --server.")
            raise error
        return server.url
    check_server_url(given)
    return given.rstrip("/")


def _read() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Token", hide_input=True))
    return sys.stdin.readline(_TOKEN_BYTES_MAX)


def _checked(text: str) -> str:
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable():
        error = ConfigurationError("No token was given")
        error.add_note("Pipe it into `dli login`, or run it on a terminal.")
        raise error
    return token
