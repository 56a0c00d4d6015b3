"""What a store keeps beside a spec, such as a pause, as the bytes of one small JSON document."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["SUFFIX", "of_json", "to_json"]

SUFFIX = ".json"


def to_json(state: dict[str, Any]) -> bytes:
    return json.dumps(state, sort_keys=True).encode()


def of_json(data: bytes) -> dict[str, Any]:
    """What a state holds; one that cannot be read holds nothing and is written anew."""
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
