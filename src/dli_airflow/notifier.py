"""Messages about how runs end, through Apprise."""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Notifier"]

_log = logging.getLogger("dli_airflow.run")
_KIND = re.compile(r"[a-z][a-z0-9_]*", re.IGNORECASE | re.ASCII)
_EVENTS = {"on_failure": "failed", "on_success": "completed"}


class Notifier:
    """A callback of Airflow that tells each target how a run ended.

    A target has a `type` and a `channel`. Where its messages go is not in the spec: the variable
    `DLI_NOTIFY_<TYPE>` holds an Apprise URL in which `{channel}` stands for the channel. A target
    that cannot be reached is a warning in the run's log and changes nothing else.
    """

    def __init__(self, event: str, targets: Sequence[Mapping[str, str]]) -> None:
        self._event = event
        self._targets = targets

    @classmethod
    def for_event(cls, event: str, notifications: Mapping[str, Any]) -> Self | None:
        """The callback for one kind of event, or None when nobody wants to know."""
        targets = notifications.get(event, [])
        return cls(event, targets) if targets else None

    def __call__(self, context: Mapping[str, Any]) -> None:
        if getattr(context.get("task"), "is_killed", False):
            return  # whoever stopped the run knows it
        run = context["dag_run"]
        title = f"{run.dag_id} {_EVENTS[self._event]}"
        body = f"Run {run.run_id}"
        if context.get("exception") is not None:
            body += f"\n{context['exception']}"
        for target in self._targets:
            self.send(target, title, body)

    def send(self, target: Mapping[str, str], title: str, body: str) -> None:
        """Send one message, or say in the log why it cannot be sent."""
        kind, channel = target["type"], target["channel"]
        url = address(kind, channel)
        if url is None:
            _log.warning(
                "Nobody was told on %s %s: DLI_NOTIFY_%s is not set where Airflow's tasks run.",
                kind,
                channel,
                kind.upper(),
            )
            return
        try:
            _deliver(url, title, body)
        except Exception as exc:  # noqa: BLE001 - a failing channel never changes a run
            _log.warning("Nobody was told on %s %s: %s", kind, channel, exc)


def address(kind: str, channel: str) -> str | None:
    """The Apprise URL of a target; None where nobody has said how to reach this kind."""
    if not _KIND.fullmatch(kind):
        return None
    url = os.environ.get(f"DLI_NOTIFY_{kind.upper()}")
    return None if url is None else url.replace("{channel}", quote(channel, safe=""))


def _deliver(url: str, title: str, body: str) -> None:
    try:
        import apprise
    except ImportError:
        raise RuntimeError("the package apprise is not installed beside Airflow") from None
    sender = apprise.Apprise()
    if not sender.add(url):
        raise RuntimeError("Apprise does not know this kind of address")
    if not sender.notify(title=title, body=body):
        raise RuntimeError("the message was not taken")
