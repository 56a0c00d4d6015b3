"""Records and lists of the server, with the kept aliases of older names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.client.response import ServerResponse, refusal

if TYPE_CHECKING:
    from dli.client.response import Record

__all__ = ["page_of", "plain_record", "run_record", "unwrapped", "workflow_record"]

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


def page_of(data: object, items: str) -> tuple[list[Record] | None, dict[str, Any]]:
    """The records of a list and what the answer tells beside them; `None` when it holds none."""
    if not isinstance(data, dict):
        return None, {}
    page = data.get(items)
    if not isinstance(page, list) or not all(isinstance(item, dict) for item in page):
        return None, {}
    return page, {key: value for key, value in data.items() if key != items}


def unwrapped(response: ServerResponse, items: str) -> ServerResponse:
    """The answer with its list as data, and what it tells beside that as `meta`."""
    if not response.success:
        return response
    page, meta = page_of(response.data, items)
    if page is None:
        return refusal(502, "DLI-503", f"The server's answer holds no list of {items}")
    return ServerResponse(success=True, data=page, status_code=response.status_code, meta=meta)
