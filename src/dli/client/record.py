"""Records of the server with the kept aliases of older names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dli.client.response import Record

__all__ = ["plain_record", "run_record", "workflow_record"]

_WORKFLOW_ALIASES = {"source": "source_type", "schedule": "cron", "next_run_at": "next_run"}
_RUN_ALIASES = {"source": "source_type", "params": "parameters", "ended_at": "finished_at"}


def workflow_record(record: Record) -> Record:
    """With `source`, `schedule` (`None` for on demand), `paused` and `next_run_at`."""
    aliased = _with_aliases(record, _WORKFLOW_ALIASES)
    if aliased.get("schedule") == "":
        aliased["schedule"] = None
    if "status" in record:
        aliased.setdefault("paused", str(record["status"]).lower() == "paused")
    return aliased


def run_record(record: Record) -> Record:
    """With `source`, `params` and `ended_at`."""
    return _with_aliases(record, _RUN_ALIASES)


def plain_record(record: Record) -> Record:
    """As the server sent it."""
    return record


def _with_aliases(record: Record, aliases: dict[str, str]) -> Record:
    added = {alias: record[name] for alias, name in aliases.items() if name in record}
    return {**added, **record}
