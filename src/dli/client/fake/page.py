"""Pages of sample lists, cut and refused like the server's."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from dli.client.response import ServerResponse, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dli.client.response import Record

__all__ = ["done", "page", "with_text"]


def done(record: Record) -> ServerResponse:
    """A successful answer with its own copy of a sample."""
    return ServerResponse(success=True, data=deepcopy(record))


def page(items: str, found: Sequence[Record], query: Mapping[str, Any]) -> ServerResponse:
    """The part of a list that `limit` and `offset` ask for."""
    limit, offset = query.get("limit", 50), query.get("offset", 0)
    if not (isinstance(limit, int) and isinstance(offset, int) and limit >= 1 and offset >= 0):
        return refusal(422, "DLI-204", "limit must be at least 1 and offset at least 0")
    end = offset + limit
    next_offset = end if end < len(found) else None
    return done(
        {
            items: list(found[offset:end]),
            "total_count": len(found),
            "limit": limit,
            "offset": offset,
            "next_offset": next_offset,
        }
    )


def with_text(records: Sequence[Record], keys: Sequence[str], text: str | None) -> list[Record]:
    """The records that have the text, in any letter case, in one of these keys."""
    wanted = (text or "").lower()
    return [r for r in records if any(wanted in str(r.get(key, "")).lower() for key in keys)]
