"""State SQL of what is not kept any more: old runs and all that belongs to them, old answers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update

from basecamp.store import idempotency, table
from basecamp.store.run import UNFINISHED
from basecamp.store.tally import Tally, TallyKey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_RUN = table.run
_BACKFILL = table.backfill
_EXPIRED = table.expired
_HORIZON = table.horizon
_FIRED_UNTIL = select(_HORIZON.c.fired_until).where(_HORIZON.c.dataset_name == bindparam("name"))
_OF_RUNS = (table.attempt, table.origin, _RUN)


def crowded(tx: Connection, keep: int) -> list[str]:
    """Names of the datasets that have more than `keep` runs."""
    counts = table.tally.c
    query = (
        select(counts.dataset_name)
        .group_by(counts.dataset_name)
        .having(func.sum(counts.count) > keep)
        .order_by(counts.dataset_name)
    )
    return list(tx.execute(query).scalars())


def expire_runs(
    tx: Connection, dataset_name: str, *, keep: int, before: datetime, limit: int
) -> list[str]:
    """Remove the oldest runs of a dataset that ended before `before`, but never the newest `keep`.

    The runs of a backfill that goes on stay. What counts runs, and what keeps a schedule from
    firing twice, still knows of those removed. Returns their ids.
    """
    newest = (
        select(_RUN.c.seq)
        .where(_RUN.c.dataset_name == dataset_name)
        .order_by(_RUN.c.seq.desc())
        .limit(1)
        .offset(keep - 1)
        .scalar_subquery()
    )
    going_on = select(_BACKFILL.c.backfill_id).where(_BACKFILL.c.status.in_(UNFINISHED))
    query = (
        select(
            _RUN.c.run_id,
            _RUN.c.dataset_name,
            _RUN.c.source_type,
            _RUN.c.run_type,
            _RUN.c.status,
            _RUN.c.scheduled_for,
        )
        .where(
            _RUN.c.dataset_name == dataset_name,
            _RUN.c.seq < newest,
            _RUN.c.finished_at < before,
            _RUN.c.status.not_in(UNFINISHED),
            _RUN.c.backfill_id.is_(None) | _RUN.c.backfill_id.not_in(going_on),
        )
        .order_by(_RUN.c.seq)
        .limit(limit)
    )
    rows = list(tx.execute(query))
    _count(tx, rows)
    fired = [row.scheduled_for for row in rows if row.scheduled_for is not None]
    if fired:
        _raise_horizon(tx, dataset_name, max(fired))
    run_ids = [row.run_id for row in rows]
    for each in _OF_RUNS:
        tx.execute(delete(each).where(each.c.run_id.in_(run_ids)))
    return run_ids


def expire_backfills(tx: Connection, *, before: datetime, limit: int) -> int:
    """Remove backfills that ended before `before` and have no run any more; tells how many."""
    has_runs = exists().where(_RUN.c.backfill_id == _BACKFILL.c.backfill_id)
    query = select(_BACKFILL.c.backfill_id).where(_BACKFILL.c.finished_at < before, ~has_runs)
    ids = list(tx.execute(query.limit(limit)).scalars())
    tx.execute(delete(_BACKFILL).where(_BACKFILL.c.backfill_id.in_(ids)))
    return len(ids)


def expire_answers(tx: Connection, *, now: datetime, limit: int) -> int:
    """Remove answers whose idempotency key has had its time; tells how many."""
    kept = table.idempotency
    query = select(kept.c.scope_hash).where(kept.c.created_at < now - idempotency.KEEP)
    hashes = list(tx.execute(query.order_by(kept.c.created_at).limit(limit)).scalars())
    tx.execute(delete(kept).where(kept.c.scope_hash.in_(hashes)))
    return len(hashes)


def counts(tx: Connection) -> Counter[tuple[str, str]]:
    """How many runs are not kept any more, by status and kind."""
    query = select(_EXPIRED.c.status, _EXPIRED.c.run_type, _EXPIRED.c.count)
    return Counter({(status, run_type): count for status, run_type, count in tx.execute(query)})


def has_fired(tx: Connection, dataset_name: str, instant: datetime) -> bool:
    """Whether a schedule has fired for an instant so long ago that its run is not kept."""
    until = tx.execute(_FIRED_UNTIL, {"name": dataset_name}).scalar()
    return until is not None and instant <= until


def _raise_horizon(tx: Connection, dataset_name: str, instant: datetime) -> None:
    this = _HORIZON.c.dataset_name == dataset_name
    until = tx.execute(select(_HORIZON.c.fired_until).where(this)).scalar()
    if until is None:
        tx.execute(insert(_HORIZON).values(dataset_name=dataset_name, fired_until=instant))
    elif instant > until:
        tx.execute(update(_HORIZON).where(this).values(fired_until=instant))


def _count(tx: Connection, rows: Sequence[Any]) -> None:
    kept = Tally()
    gone: Counter[tuple[str, str]] = Counter()
    for row in rows:
        kept.add(TallyKey(row.dataset_name, row.source_type, row.run_type, row.status), -1)
        gone[row.run_type, row.status] += 1
    kept.write(tx)
    for (run_type, status), count in gone.items():
        this = (_EXPIRED.c.run_type == run_type) & (_EXPIRED.c.status == status)
        more = update(_EXPIRED).where(this).values(count=_EXPIRED.c.count + count)
        if not tx.execute(more).rowcount:
            tx.execute(insert(_EXPIRED).values(run_type=run_type, status=status, count=count))
