"""Sends the messages that changes have left in the state store."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from basecamp.failpoint import failpoint
from basecamp.services.rounds import Rounds
from basecamp.store import message
from dli.courier import Courier
from dli.notification import Message, deliver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from basecamp.clock import Clock
    from basecamp.engines.leadership import Leadership
    from basecamp.store.message import MessageRow

__all__ = ["Notifications"]

_log = logging.getLogger(__name__)
_BATCH = 20
_ATTEMPTS = 5
_PATIENCE_S = 2.0
"""How long a message that is under way may hold up the end of the server."""
_FIRST_PAUSE = timedelta(seconds=10)


class Notifications:
    """A thread of its own, for a channel may be slow; the leader's work.

    A message is stored with the change that it tells of, so that none is lost, and forgotten once
    it was taken. Only a server that dies between the two sends one twice.
    """

    def __init__(
        self,
        leadership: Leadership,
        addresses: Mapping[str, str],
        clock: Clock,
        on_outcome: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._leadership = leadership
        self._addresses = addresses
        self._clock = clock
        self._on_outcome = on_outcome
        self._courier: Courier | None = None
        self._rounds = Rounds("notifications", self.send_due, clock)

    def start(self) -> None:
        """Begin with what an earlier server has left."""
        self._rounds.start()

    def wake(self) -> None:
        """There may be something to send."""
        self._rounds.wake()

    def stop(self) -> None:
        """End after the message that is under way; what is left waits for the next server."""
        patience = threading.Timer(_PATIENCE_S, self._recall)
        patience.start()
        self._rounds.stop()
        patience.cancel()

    def _recall(self) -> None:
        if (courier := self._courier) is not None:
            courier.recall()

    def send_due(self) -> datetime | None:
        """Try every message whose time has come; returns when the next one is to be tried."""
        with Courier(self._addresses) as self._courier:
            while self._leadership.term is not None and not self._rounds.is_ending:
                with self._leadership.read() as tx:
                    rows = message.due(tx, self._clock.now(), _BATCH)
                    following = message.next_try_at(tx)
                if not rows:
                    return following
                for row in rows:
                    if not self._rounds.is_ending:
                        self._send(row, self._courier)
        return None

    def _send(self, row: MessageRow, courier: Courier) -> None:
        with self._leadership.transaction() as tx:
            message.put_off(tx, row, self._clock.now() + _FIRST_PAUSE * 3**row.attempt)
        told = Message(row.title, row.body, event_id=_event_id(row))
        why = deliver(row.target, told, self._addresses, courier)
        failpoint("message.sent")
        if why is not None:
            if self._rounds.is_ending:
                return  # not the receiver's fault; the next server goes on
            is_last = row.attempt + 1 >= _ATTEMPTS
            what = {"target": row.target, "title": row.title, "reason": why, "given_up": is_last}
            _log.warning("notification.not_sent", extra=what)
            self._on_outcome("given_up" if is_last else "failed")
            if not is_last:
                return
        else:
            self._on_outcome("sent")
        with self._leadership.transaction() as tx:
            message.forget(tx, row)


def _event_id(row: MessageRow) -> str:
    """The same for every attempt, and for no other message of any store."""
    return f"{row.created_at:%Y%m%dT%H%M%S%f}-{row.id}"
