"""Gives queued runs to Airflow: once each, one at a time of a dataset, and none is lost."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from basecamp.engines.airflow import outbox
from basecamp.engines.airflow.change import ChangeSet
from basecamp.engines.airflow.fault import AirflowError, Reason
from basecamp.engines.airflow.watch import paused_by_hand

if TYPE_CHECKING:
    from basecamp.clock import Clock
    from basecamp.engines.airflow.outbox import Parcel
    from basecamp.engines.airflow.rest import AirflowRest
    from basecamp.engines.airflow.state import SeenDag
    from basecamp.engines.airflow.watch import Watch
    from basecamp.store.database import Transactions

_log = logging.getLogger(__name__)
_BATCH = 20
"""Between two batches the states of other runs are read."""
_WAITING_MAX = 1_000
_PATIENCE_S = 30.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 8.0
_SPEC_TAG = "spec:"


class Fate(Enum):
    """What became of an attempt to send a run."""

    DELIVERED = "delivered"
    HELD = "held"
    REFUSED = "refused"


@dataclass(frozen=True)
class Sent:
    """A parcel, its fate and the reason."""

    parcel: Parcel
    fate: Fate
    why: str = ""


class Pause(NamedTuple):
    """How long a dataset is left alone."""

    until: float
    seconds: float


class Sender:
    """The way out. `is_parse_wanted` says that Airflow has not seen a spec of a run that waits."""

    def __init__(
        self, database: Transactions, rest: AirflowRest, watch: Watch, clock: Clock
    ) -> None:
        self._database = database
        self._rest = rest
        self._watch = watch
        self._clock = clock
        self._current: dict[str, str] = {}
        self._waiting_since: dict[str, float] = {}
        self._pauses: dict[str, Pause] = {}
        self.is_parse_wanted = False
        self.next_try_at: float | None = None
        """When, on the monotonic clock, a run that waits is to be tried; None when none waits."""

    def send(self) -> ChangeSet:
        """Send what can be sent; what cannot waits with its reason."""
        changes = ChangeSet()
        with self._database.read() as tx:
            waiting = outbox.pack(tx, _WAITING_MAX)
        now = self._clock.monotonic()
        due = [parcel for parcel in waiting if self._try_at(parcel) <= now][:_BATCH]
        self.is_parse_wanted = False
        outcomes = self._try_all(due)
        if outcomes:
            for parcel in self._enter(outcomes, changes):
                self._rest.stop(parcel.dataset_name, parcel.run_id)
        gone = {sent.parcel.run_id for sent in outcomes if sent.fate is not Fate.HELD}
        left = [parcel for parcel in waiting if parcel.run_id not in gone]
        names = {parcel.dataset_name for parcel in left}
        self._pauses = {name: pause for name, pause in self._pauses.items() if name in names}
        self.next_try_at = min((self._try_at(parcel) for parcel in left), default=None)
        return changes

    def _try_at(self, parcel: Parcel) -> float:
        pause = self._pauses.get(parcel.dataset_name)
        return 0.0 if pause is None else pause.until

    def _put_off(self, name: str) -> None:
        """A dataset that has to wait is tried less and less often, so that it holds up no other."""
        before = self._pauses.get(name)
        seconds = _FIRST_PAUSE_S if before is None else min(2 * before.seconds, _LONGEST_PAUSE_S)
        self._pauses[name] = Pause(self._clock.monotonic() + seconds, seconds)

    def _try_all(self, parcels: list[Parcel]) -> list[Sent]:
        """One after the other: where Airflow's metadata lie in SQLite, writers block each other.

        Once Airflow has failed, the others of this round wait for the same reason.
        """
        outcomes: list[Sent] = []
        for parcel in parcels:
            try:
                outcomes.append(self._try(parcel))
                if outcomes[-1].fate is Fate.HELD:
                    self._put_off(parcel.dataset_name)
            except AirflowError as fault:
                self._put_off(parcel.dataset_name)
                rest = parcels[len(outcomes) :]
                outcomes += [Sent(one, Fate.HELD, fault.note) for one in rest]
                break
        return outcomes

    def _enter(self, outcomes: list[Sent], changes: ChangeSet) -> list[Parcel]:
        """Store what became of each; returns those that were stopped while they were sent."""
        unwanted: list[Parcel] = []
        with self._database.transaction() as tx:
            for sent in outcomes:
                if sent.fate is Fate.HELD:
                    outbox.hold(tx, sent.parcel, sent.why, changes)
                elif sent.fate is Fate.REFUSED:
                    outbox.refuse(tx, sent.parcel, sent.why, self._clock.now(), changes)
                elif not outbox.deliver(tx, sent.parcel, changes):
                    unwanted.append(sent.parcel)
            changes.counts.write(tx)
        return unwanted

    def _try(self, parcel: Parcel) -> Sent:
        try:
            why = self._obstacle(parcel)
            if why is not None:
                return Sent(parcel, Fate.HELD, why)
            if self._rest.trigger(parcel.dataset_name, parcel.run_id, parcel.conf) is not None:
                return Sent(parcel, Fate.DELIVERED)
        except AirflowError as fault:
            if fault.reason is Reason.REFUSED:
                return Sent(parcel, Fate.REFUSED, fault.note)
            raise
        self._current.pop(parcel.dataset_name, None)
        self.is_parse_wanted = True
        return Sent(parcel, Fate.HELD, missing())

    def _obstacle(self, parcel: Parcel) -> str | None:
        """Why the run is better not sent yet."""
        name = parcel.dataset_name
        if name in self._watch.paused:
            self._current.pop(name, None)
        if self._current.get(name) == parcel.spec_hash:
            return None
        dag = self._rest.dag(name)
        if dag is not None and dag.is_paused:
            return paused_by_hand()
        why = lag(dag, parcel.spec_hash)
        if why is not None:
            self.is_parse_wanted = True
            if dag is None or not self._has_waited_enough(name):
                return why
        self._waiting_since.pop(name, None)
        self._current[name] = parcel.spec_hash
        return None

    def _has_waited_enough(self, name: str) -> bool:
        now = self._clock.monotonic()
        return now - self._waiting_since.setdefault(name, now) > _PATIENCE_S


def missing() -> str:
    """Why a run of a DAG that Airflow does not know waits."""
    return "engine_lag: Airflow does not show the workflow yet."


def lag(dag: SeenDag | None, spec_hash: str) -> str | None:
    """What of a workflow's newest spec has not come to Airflow yet; None when all has."""
    if dag is None or dag.is_stale or "retired" in dag.tags:
        return missing()
    shown = [tag.removeprefix(_SPEC_TAG) for tag in dag.tags if tag.startswith(_SPEC_TAG)]
    if shown and not any(spec_hash.startswith(prefix) for prefix in shown):
        return "engine_lag: Airflow does not show the newest spec yet."
    return None
