"""Messages to people through Apprise: where those for a target go, and sending one.

A target of a spec has a `type` and a `channel`. Where its messages go is not in the spec: the
variable `DLI_NOTIFY_<TYPE>` holds an Apprise URL in which `{channel}` stands for the channel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from dli.courier import Courier
from dli.outgoing import VARIABLE

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
_FIELDS = ("json://", "jsons://", "form://", "forms://", "xml://", "xmls://")
_KIND = re.compile(r"[a-z][a-z0-9_]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Message:
    """`kind` is a word of Apprise: `info`, `success` or `failure`.

    A message may come twice, when who sent it died before it knew; `event_id` is then the same.
    """

    title: str
    body: str
    kind: str = "info"
    event_id: str = ""


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
        return Message(
            f"{dataset_name} completed", f"Run {run_id}.{rows}", "success", f"{run_id}-success"
        )
    told = "Its process ended before it could tell why." if code is None else f"{code}: {reason}"
    return Message(
        f"{dataset_name} failed", f"Run {run_id}. {told}", "failure", f"{run_id}-failure"
    )


def settings_in(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that say where messages go and may go."""
    return {
        name: text for name, text in env.items() if name.startswith(_PREFIX) or name == VARIABLE
    }


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


def deliver(
    target: Mapping[str, str],
    message: Message,
    env: Mapping[str, str],
    courier: Courier | None = None,
) -> str | None:
    """Send one message; None when it was taken, else why it was not.

    A `courier` that carries several is closed by who has it.
    """
    url = address(target, env)
    if url is None:
        return f"{variable(target['type'])} is not set here"
    parcel = {
        "template": env[variable(target["type"])],
        "url": _marked(url, message.event_id),
        "title": message.title,
        "body": message.body,
        "kind": message.kind,
    }
    if courier is not None:
        return courier.carry(parcel)
    with Courier(env) as one_way:
        return one_way.carry(parcel)


def _marked(url: str, event_id: str) -> str:
    """The URL of a program that reads fields, told the id; people have no use for it."""
    if not event_id or not url.startswith(_FIELDS):
        return url
    return f"{url}{'&' if '?' in url else '?'}:event_id={quote(event_id, safe='')}"
