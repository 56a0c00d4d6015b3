"""From a token to who it stands for; what the store said is believed for a few seconds."""

from __future__ import annotations

import hmac
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from basecamp.auth import LOCAL
from basecamp.services.permission import Actor, Role, local_actor
from basecamp.services.secret import hash_of, is_well_formed
from basecamp.store import token
from dli.exceptions import DLIError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from basecamp.clock import Clock
    from basecamp.store.database import Database
    from basecamp.store.token import TokenRow

_BELIEVED_SECONDS = 3.0
"""A token that another server revokes is refused here after this."""
_REMEMBERED = 10_000
_USE_NOTED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class Finding:
    """What a token turned out to be: somebody, or why it is refused, which is for the figures."""

    actor: Actor | None = None
    reason: str = ""


@dataclass(frozen=True)
class _Known:
    actor: Actor
    expires_at: datetime
    believed_until: float


class Identities:
    """Knows the token of this machine and those in the store; used by many threads."""

    def __init__(
        self,
        local_token: str,
        database: Database,
        clock: Clock,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._local_token = local_token.encode()
        self._local = Finding(local_actor(LOCAL))
        self._database = database
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._generation = 0

    def at_hand(self, secret: str) -> Finding | None:
        """What a token is, where the store need not be asked."""
        if hmac.compare_digest(secret.encode(), self._local_token):
            return self._local
        if not is_well_formed(secret):
            return Finding(reason="wrong")
        with self._lock:
            known = self._known.get(hash_of(secret))
        if known is None or known.believed_until <= self._seconds():
            return None
        if known.expires_at <= self._clock.now():
            return Finding(reason="expired")
        return Finding(known.actor)

    def find(self, secret: str) -> Finding:
        """What a token is.

        Raises:
            ServerError: the store cannot be asked (DLI-504).
        """
        return self.at_hand(secret) or self._look_up(secret)

    def forget(self) -> None:
        """Believe nothing of before: a token was changed."""
        with self._lock:
            self._generation += 1
            self._known.clear()

    def _look_up(self, secret: str) -> Finding:
        digest, now = hash_of(secret), self._clock.now()
        generation, began = self._generation, self._seconds()
        with self._database.read() as tx:
            row = token.by_hash(tx, digest)
        if row is None:
            return Finding(reason="wrong")
        if row.revoked_at is not None:
            return Finding(reason="revoked")
        if row.expires_at <= now:
            return Finding(reason="expired")
        actor = _actor(row)
        with self._lock:
            if generation == self._generation:  # else it may have been revoked since
                self._known[digest] = _Known(actor, row.expires_at, began + _BELIEVED_SECONDS)
                if len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        self._note_use(row, now)
        return Finding(actor)

    def _note_use(self, row: TokenRow, now: datetime) -> None:
        before = now - _USE_NOTED_EVERY
        if row.last_used_at is not None and row.last_used_at >= before:
            return
        try:
            with self._database.transaction() as tx:
                token.touch(tx, row.token_id, now, before)
        except DLIError:  # who may read goes on reading when nothing can be written
            return


def _actor(row: TokenRow) -> Actor:
    return Actor(
        row.name, Role(row.role), frozenset(row.teams), frozenset(row.scopes), row.token_id
    )
