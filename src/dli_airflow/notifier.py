"""Messages about how runs end, through Apprise."""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["RESULT_KEY", "Notifier", "address", "unreachable"]

RESULT_KEY = "dli_result"
"""The XCom in which a run leaves rows or error."""

_log = logging.getLogger("dli_airflow.run")
_KIND = re.compile(r"[a-z][a-z0-9_]*", re.IGNORECASE | re.ASCII)
_EVENTS = {"on_failure": "failed", "on_success": "completed"}


class Notifier:
    """A callback of a DAG that tells each target how a run ended.

    Airflow calls it in the DAG processor, so it is told of killed processes too, and of a stop it
    is not. A target has a `type` and a `channel`. Where its messages go is not in the spec: the
    variable `DLI_NOTIFY_<TYPE>` holds an Apprise URL in which `{channel}` stands for the channel. A
    target that cannot be reached is a warning in the log and changes nothing else.
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
        title = f"{context['dag'].dag_id} {_EVENTS[self._event]}"
        body = f"Run {context['run_id']}. {self._told(_result(context))}"
        for target in self._targets:
            self.send(target, title, body)

    def _told(self, result: Mapping[str, Any] | None) -> str:
        if self._event == "on_success":
            rows = result and result.get("rows_affected")
            return "" if rows is None else f"{rows} rows."
        if result is None or result.get("error_code") is None:
            return "Its process ended before it could tell why."
        return f"{result['error_code']}: {result['error_message']}"

    def send(self, target: Mapping[str, str], title: str, body: str) -> None:
        """Send one message, or say in the log why it cannot be sent."""
        kind, channel = target["type"], target["channel"]
        url = address(kind, channel)
        if url is None:
            _log.warning(
                "Nobody was told on %s %s: %s is not set for the DAG processor.",
                kind,
                channel,
                variable(kind),
            )
            return
        try:
            _deliver(url, title, body, is_failure=self._event == "on_failure")
        except Exception as exc:  # noqa: BLE001 - a failing channel never changes a run
            _log.warning("Nobody was told on %s %s: %s", kind, channel, exc)


def unreachable(notifications: Mapping[str, Any]) -> list[str]:
    """The variables that the notifications of a spec would need and that are not set here."""
    targets = [target for event in _EVENTS for target in notifications.get(event, [])]
    return sorted({variable(t["type"]) for t in targets if address(t["type"], "") is None})


def variable(kind: str) -> str:
    return f"DLI_NOTIFY_{kind.upper()}"


def address(kind: str, channel: str) -> str | None:
    """The Apprise URL of a target; None where nobody has said how to reach this kind."""
    if not _KIND.fullmatch(kind):
        return None
    url = os.environ.get(variable(kind))
    return None if url is None else url.replace("{channel}", quote(channel, safe=""))


def _result(context: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What the run's last attempt left behind; None when there is nothing to be had."""
    try:
        found = context["ti"].xcom_pull(task_ids="run", key=RESULT_KEY)
    except Exception as exc:  # noqa: BLE001 - the message goes out without it
        _log.warning("The result of run %s cannot be read: %s", context["run_id"], exc)
        return None
    return found if isinstance(found, dict) else None


def _deliver(url: str, title: str, body: str, *, is_failure: bool) -> None:
    try:
        import apprise
    except ImportError:
        raise RuntimeError("the package apprise is not installed beside Airflow") from None
    sender = apprise.Apprise()
    if not sender.add(url):
        raise RuntimeError("Apprise does not know this kind of address")
    kind = apprise.NotifyType.FAILURE if is_failure else apprise.NotifyType.SUCCESS
    if not sender.notify(title=title, body=body, notify_type=kind):
        raise RuntimeError("the message was not taken")
