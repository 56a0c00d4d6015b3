"""`dli token`: who may work with the server, and what they may do."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click

from dli.api.reply import record_of, records_of
from dli.cli.connection import connect
from dli.cli.group import Entry, LazyGroup
from dli.cli.option import format_option, path_option, refused
from dli.cli.output import emit, emit_fields, emit_json, emit_table, note

if TYPE_CHECKING:
    from pathlib import Path

    from dli.client.basecamp import BasecampClient
    from dli.client.response import Record

COMMANDS = {
    "create": Entry("dli.cli.token:create", "Make a token; it is shown once."),
    "list": Entry("dli.cli.token:list_tokens", "List tokens without their secrets."),
    "rotate": Entry("dli.cli.token:rotate", "Make another token in place of one."),
    "revoke": Entry("dli.cli.token:revoke", "End a token at once."),
    "exchange": Entry("dli.cli.token:exchange", "Get a CI job a token that may publish."),
}
_IDENTITY_TOKEN_MAX = 16_384
_ROLES = ["viewer", "operator", "owner", "admin", "auditor"]
_LIFETIME = re.compile(r"([0-9]{1,4})([hd])")
_HOURS = {"h": 1, "d": 24}


@click.group("token", cls=LazyGroup, entries=COMMANDS)
def token() -> None:
    """Make, list, rotate and revoke tokens; this takes an admin."""


@click.command()
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What its owner is.")
@click.option("--team", multiple=True, help="Whose things; '*' is every team; repeatable.")
@click.option("--scope", multiple=True, help="Only this of the role's scopes; repeatable.")
@click.option(
    "--also", multiple=True, help="A scope that no role has: code:publish or sql:run; repeatable."
)
@click.option("--only-also", is_flag=True, help="None of the role's scopes, only those of --also.")
@click.option("--expires-in", metavar="TIME", help="Such as 12h or 30d; default: 90d, admin 24h.")
@format_option("-f")
@path_option("-p")
def create(
    *,
    name: str,
    role: str,
    team: tuple[str, ...],
    scope: tuple[str, ...],
    also: tuple[str, ...],
    only_also: bool,
    expires_in: str | None,
    format: str,
    path: Path | None,
) -> None:
    """Make a token for a person or service NAME. The server shows it this once."""
    if only_also and (scope or not also):
        raise click.UsageError("--only-also needs --also and excludes --scope.")
    wanted: dict[str, Any] = {"name": name, "role": role, "teams": list(team), "also": list(also)}
    if scope or only_also:
        wanted["scopes"] = list(scope)
    if expires_in is not None:
        wanted["expires_in_hours"] = _hours(expires_in)
    with connect(path) as client:
        made = record_of(client.token_create(wanted))
    _show_new(made, format)


@click.command("list")
@click.option("--all", "-a", "ended", is_flag=True, help="Also expired and revoked ones.")
@format_option("-f")
@path_option("-p")
def list_tokens(*, ended: bool, format: str, path: Path | None) -> None:
    """List tokens, newest first."""
    with connect(path) as client:
        tokens = records_of(client.token_list(ended=ended))
    if format == "json":
        emit_json(tokens)
    elif tokens:
        header = ("ID", "NAME", "ROLE", "TEAMS", "STATE", "EXPIRES", "LAST USED")
        emit_table(header, map(_row, tokens))
    else:
        note("No token found.")


@click.command()
@click.argument("token_id", metavar="ID")
@click.option(
    "--overlap",
    type=click.IntRange(0, 168),
    metavar="HOURS",
    help="How long the old one stays good; default: 24.",
)
@format_option("-f")
@path_option("-p")
def rotate(*, token_id: str, overlap: int | None, format: str, path: Path | None) -> None:
    """Make another token with the same rights; the old one ends after the overlap."""
    with connect(path) as client:
        made = record_of(client.token_rotate(token_id, overlap_hours=overlap))
    _show_new(made, format)


@click.command()
@click.argument("which", metavar="ID|NAME")
@click.option("--reason", help="Kept in the audit trail.")
@path_option("-p")
def revoke(*, which: str, reason: str | None, path: Path | None) -> None:
    """End a token, or all tokens of a name; the server refuses them within 5 seconds."""
    with connect(path) as client:
        for token_id in _meant(client, which):
            record = record_of(client.token_revoke(token_id, reason=reason))
            emit(f"{record['name']} ({token_id}): revoked.")


@click.command()
@path_option("-p")
def exchange(*, path: Path | None) -> None:
    """Print a token that may publish, in exchange for a CI job's identity token from stdin.

    It is good for an hour: DLI_API_TOKEN=$(dli token exchange < job-token.txt)
    """
    text = sys.stdin.read(_IDENTITY_TOKEN_MAX + 1).strip()
    if not text or len(text) > _IDENTITY_TOKEN_MAX:
        raise refused("There is no identity token on stdin", "Pipe that of the CI job into this.")
    with connect(path) as client:
        made = record_of(client.session_exchange(text))
    emit(made["token"])
    note(f"For {made['name']}, until {made['expires_at']}.")


def _meant(client: BasecampClient, which: str) -> list[str]:
    tokens = records_of(client.token_list())
    found = [one["token_id"] for one in tokens if one["name"] == which]
    return found or [which]


def _show_new(made: Record, format: str) -> None:
    if format == "json":
        emit_json(made)
        return
    fields = ("name", "role", "token_id", "expires_at")
    emit_fields({key: made[key] for key in fields} | {"scopes": ", ".join(made["scopes"])})
    if made["token"] is None:
        note(made["message"])
        return
    emit(made["token"])
    note("Keep the token now: it is not shown again.")


def _row(record: Record) -> list[object]:
    keys = ("token_id", "name", "role", "teams", "state", "expires_at", "last_used_at")
    return [", ".join(record[key]) if key == "teams" else record[key] for key in keys]


def _hours(text: str) -> int:
    found = _LIFETIME.fullmatch(text)
    if found is None:
        raise refused("--expires-in cannot be read", "Write hours or days, such as 12h or 30d.")
    return int(found[1]) * _HOURS[found[2]]
