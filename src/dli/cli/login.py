"""`dli login` and `dli logout`: a server's token in the keyring of this system."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from dli.api.reply import record_of
from dli.cli.browser import log_in
from dli.cli.connection import project_root
from dli.cli.option import path_option
from dli.cli.output import emit, note
from dli.client.basecamp import BasecampClient, ServerConfig
from dli.config import Settings, check_server_url
from dli.credential import keep, remove, stored
from dli.exceptions import ConfigurationError, DLIError

if TYPE_CHECKING:
    from pathlib import Path

    from dli.client.response import Record

_TOKEN_BYTES_MAX = 4096


@click.command()
@click.option("--server", "url", metavar="URL", help="Default: the server of the settings.")
@click.option("--token", help="Seen by others on this machine: better leave it to the prompt.")
@click.option(
    "--browser/--no-browser", "opens", default=True, help="Open the address to log in at."
)
@path_option("-p")
def login(*, url: str | None, token: str | None, opens: bool, path: Path | None) -> None:
    """Keep a server's token in the keyring: of a login in the browser, from stdin or a prompt.

    A server that knows your identity provider sends you there. Any other takes a token.

    From then on every command that goes to this server uses it, unless DLI_API_TOKEN or a file
    has one.
    """
    settings = Settings(project_root(path), os.environ)
    url = _address(settings, url)
    if token is not None:
        note("Warning: --token can be read in the list of processes and in the shell's history.")
    given = _piped() if token is None else token
    provider = None if given else _provider(url)
    if provider is None:
        secret = _checked(given or _prompted())
        with BasecampClient(ServerConfig(url, api_key=secret)) as client:
            who = record_of(client.session_begin())
    else:
        with BasecampClient(ServerConfig(url)) as client:
            who = log_in(client, provider, opens=opens)
        secret = who["token"]
    _keep(url, secret, is_ours=provider is not None)
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
    """Remove a server's token from the keyring; that of a login in the browser ends.

    `dli token revoke` makes any other useless.
    """
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


def _provider(url: str) -> Record | None:
    """Where the server sends people to log in; None when nowhere."""
    with BasecampClient(ServerConfig(url)) as client:
        answer = client.session_provider()
    if answer.status_code in (401, 404):
        return None  # an older server
    found = record_of(answer)
    return found if found.get("issuer") else None


def _keep(url: str, secret: str, *, is_ours: bool) -> None:
    try:
        keep(url, secret, os.environ)
    except ConfigurationError:
        if is_ours:  # nobody has this token: it must not live on
            _tell_server(url, secret)
        raise


def _piped() -> str:
    return "" if sys.stdin.isatty() else sys.stdin.readline(_TOKEN_BYTES_MAX).strip()


def _prompted() -> str:
    return str(click.prompt("Token", hide_input=True)) if sys.stdin.isatty() else ""


def _checked(text: str) -> str:
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable():
        error = ConfigurationError("No token was given")
        error.add_note("Pipe it into `dli login`, or run it on a terminal.")
        raise error
    return token
