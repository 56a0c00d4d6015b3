"""`dli audit list|verify|export`: who changed what, and whether the trail is whole."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from dli.api.reply import record_of, records_of
from dli.cli.connection import connect
from dli.cli.group import Entry, LazyGroup
from dli.cli.option import format_option, limit_option, path_option, refused
from dli.cli.output import emit, emit_json, emit_table, note

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMANDS = {
    "list": Entry("dli.cli.audit:list_entries", "List changes, newest first."),
    "verify": Entry("dli.cli.audit:verify", "Check that no entry was changed or removed."),
    "export": Entry("dli.cli.audit:export", "Write all entries as JSON lines, oldest first."),
}
_PAGE = 500


@click.group("audit", cls=LazyGroup, entries=COMMANDS)
def audit() -> None:
    """Show who changed what, and whether that trail is whole."""


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--until", metavar="TIME", callback=_instant, help="Not after this time."),
        click.option("--since", metavar="TIME", callback=_instant, help="Not before this time."),
        click.option("--resource", help="The workflow, run or other thing that was changed."),
        click.option("--action", help="Such as run.start or workflow.register."),
        click.option("--actor", help="Who did it."),
    ):
        command = option(command)
    return command


def _instant(_ctx: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    """A day or a time in RFC 3339; without a zone in UTC."""
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise refused(f"'{text}' is not a time", "Write YYYY-MM-DD or an RFC 3339 time.") from None
    aware = read if read.tzinfo else read.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _hash(_ctx: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    if text is not None and not re.fullmatch("[0-9a-f]{64}", text):
        raise refused("--head is no head of a trail", "Give the 64 hexadecimal digits of one.")
    return text


@click.command("list")
@_filters
@limit_option(50)
@format_option("-f")
@path_option("-p")
def list_entries(*, limit: int, format: str, path: Path | None, **wanted: str | None) -> None:
    """List changes, newest first; this reading becomes an entry itself."""
    with connect(path) as client:
        entries = records_of(client.audit_entries(wanted, limit=limit))
    if format == "json":
        emit_json(entries)
    elif entries:
        keys = ("at", "actor", "action", "resource", "reason")
        rows = [[entry.get(key) for key in keys] for entry in entries]
        emit_table(("AT", "ACTOR", "ACTION", "RESOURCE", "REASON"), rows)
    else:
        note("No entry found.")


@click.command()
@click.option(
    "--head", metavar="HASH", callback=_hash, help="A head noted earlier: it must still be there."
)
@format_option("-f")
@path_option("-p")
def verify(*, head: str | None, format: str, path: Path | None) -> None:
    """Check that no entry was changed, removed or slipped in; exit code 1 when one was.

    The last entries could be cut off unnoticed: note the head that is printed, outside of the
    server, and give it to a later check.
    """
    with connect(path) as client:
        found = record_of(client.audit_chain(head))
    if format == "json":
        emit_json(found)
    elif found["ok"]:
        emit(f"The trail of {found['entries']} entries is whole. Its head: {found['head']}")
    if not found["ok"]:
        note(_damage(found))
        raise click.exceptions.Exit(1)


def _damage(found: dict[str, Any]) -> str:
    if found["broken_id"] is not None:
        return f"The trail is broken: entry {found['broken_id']} does not follow the one before."
    return "The trail has no such head: it is mistyped, or entries at its end were removed."


@click.command()
@_filters
@path_option("-p")
def export(*, path: Path | None, **wanted: str | None) -> None:
    """Write all entries as JSON lines, oldest first, each with the hash that chains it."""
    query = {**wanted, "order": "oldest"}
    offset: int | None = 0
    with connect(path) as client:
        while offset is not None:
            answer = client.audit_entries(query, limit=_PAGE, offset=offset)
            entries = records_of(answer)
            for entry in entries:
                emit(json.dumps(entry, ensure_ascii=True, sort_keys=True))
            offset = offset + _PAGE if len(entries) == _PAGE else None
