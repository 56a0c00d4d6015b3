"""Messages about how runs end, through Apprise."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Any, Self

from dli.courier import Courier
from dli.notification import deliver, end_of_run
from dli.notification import unreachable as unreachable_targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["RESULT_KEY", "STOPPED_KEY", "Notifier", "unreachable"]

RESULT_KEY = "dli_result"
"""The XCom in which a run leaves rows or error."""
STOPPED_KEY = "dli_stopped"
"""The XCom that a stopped run leaves."""
_STOP_S = 10.0
"""How long a stopped task may take to say so: its heartbeat and its last seconds."""

_log = logging.getLogger("dli_airflow.run")
_EVENTS = ("on_failure", "on_success")


class Notifier:
    """A callback of a DAG that tells each target how a run ended.

    Airflow calls it in the DAG processor, so it hears of killed processes too, and now and then
    of a run that somebody has stopped and knows about. A target that cannot be reached is a warning
    in the log and changes nothing else.
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
        result = _pulled(context, RESULT_KEY)
        if result is None and self._event == "on_failure" and _was_stopped(context):
            return
        told = result if isinstance(result, dict) else {}
        message = end_of_run(
            context["dag"].dag_id,
            context["run_id"],
            is_good=self._event == "on_success",
            rows_affected=told.get("rows_affected"),
            code=told.get("error_code"),
            reason=told.get("error_message"),
        )
        with Courier(os.environ) as courier:
            for target in self._targets:
                why = deliver(target, message, os.environ, courier)
                if why is not None:
                    where = target["type"], target["channel"]
                    _log.warning("Nobody was told on %s %s: %s.", *where, why)


def unreachable(notifications: Mapping[str, Any]) -> list[str]:
    """The variables that the notifications of a spec would need and that are not set here."""
    targets = [target for event in _EVENTS for target in notifications.get(event, [])]
    return unreachable_targets(targets, os.environ)


def _was_stopped(context: Mapping[str, Any]) -> bool:
    """Whether the task says that it was stopped; one that was killed never says anything."""
    deadline = time.monotonic() + _STOP_S
    while not (stopped := _pulled(context, STOPPED_KEY)) and time.monotonic() < deadline:
        time.sleep(_STOP_S / 20)
    return bool(stopped)


def _pulled(context: Mapping[str, Any], key: str) -> Any:
    """What the run's last attempt left behind; None when there is nothing to be had."""
    try:
        return context["ti"].xcom_pull(task_ids="run", key=key)
    except Exception as exc:  # noqa: BLE001 - the message goes out without it
        _log.warning("%s of run %s cannot be read: %s", key, context["run_id"], exc)
        return None
