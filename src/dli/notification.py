"""Messages to people through Apprise: where those for a target go, and sending one.

A target of a spec has a `type` and a `channel`. Where its messages go is not in the spec: the
variable `DLI_NOTIFY_<TYPE>` holds an Apprise URL in which `{channel}` stands for the channel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "Message",
    "address",
    "deliver",
    "end_of_run",
    "settings_in",
    "unreachable",
    "variable",
]

_PREFIX = "DLI_NOTIFY_"
_KIND = re.compile(r"[a-z][a-z0-9_]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Message:
    """`kind` is a word of Apprise: `info`, `success` or `failure`."""

    title: str
    body: str
    kind: str = "info"


def end_of_run(
    dataset_name: str,
    run_id: str,
    *,
    is_good: bool,
    rows_affected: int | None = None,
    code: str | None = None,
    reason: str | None = None,
) -> Message:
    """How a run ended, as everyone is told, whatever engine it ran on."""
    if is_good:
        rows = "" if rows_affected is None else f" {rows_affected} rows."
        return Message(f"{dataset_name} completed", f"Run {run_id}.{rows}", "success")
    told = "Its process ended before it could tell why." if code is None else f"{code}: {reason}"
    return Message(f"{dataset_name} failed", f"Run {run_id}. {told}", "failure")


def settings_in(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that say where messages go."""
    return {name: url for name, url in env.items() if name.startswith(_PREFIX)}


def variable(kind: str) -> str:
    return f"{_PREFIX}{kind.upper()}"


def address(target: Mapping[str, str], env: Mapping[str, str]) -> str | None:
    """The Apprise URL of a target; None where nobody has said how to reach its type."""
    if not _KIND.fullmatch(target["type"]):
        return None
    url = env.get(variable(target["type"]))
    return None if url is None else url.replace("{channel}", quote(target["channel"], safe=""))


def unreachable(targets: Iterable[Mapping[str, str]], env: Mapping[str, str]) -> list[str]:
    """The variables that these targets would need and that are not set."""
    return sorted({variable(one["type"]) for one in targets if address(one, env) is None})


def deliver(target: Mapping[str, str], message: Message, env: Mapping[str, str]) -> str | None:
    """Send one message; None when it was taken, else why it was not."""
    url = address(target, env)
    if url is None:
        return f"{variable(target['type'])} is not set here"
    try:
        return _send(url, message)
    except Exception as exc:  # noqa: BLE001 - whatever a plugin raises, the message is not sent
        return str(exc)


def _send(url: str, message: Message) -> str | None:
    try:
        import apprise
    except ImportError:
        return "the package apprise is not installed here: dli[notify]"
    sender = apprise.Apprise()
    if not sender.add(url):
        return "Apprise does not know this kind of address"
    kind = apprise.NotifyType(message.kind)
    if not sender.notify(title=message.title, body=message.body, notify_type=kind):
        return "the message was not taken"
    return None
