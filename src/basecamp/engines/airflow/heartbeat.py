"""Whether the parts of an Airflow work: heartbeats that are younger than their processes."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

if TYPE_CHECKING:
    from collections.abc import Mapping

    from basecamp.engines.airflow.process import Birth

__all__ = ["silent_parts"]

_KEYS = {"scheduler": "scheduler", "dag-processor": "dag_processor"}
_TIMEOUT_S = 3.0
_LIMIT_BYTES = 64 * 1024


def silent_parts(url: str, births: Mapping[str, Birth | None]) -> list[str]:
    """Names of the processes that have given no sign of life since they were started.

    Airflow itself calls a dead part healthy for 30 s, hence the comparison with the start.
    """
    health = _health(url)
    if health is None:
        return sorted(births)
    return [name for name, birth in births.items() if not _is_heard(health, name, birth)]


def _is_heard(health: Mapping[str, Any], name: str, birth: Birth | None) -> bool:
    if birth is None:
        return False
    if name not in _KEYS:  # the API server has just answered
        return bool(health.get("metadatabase", {}).get("status") == "healthy")
    part = health.get(_KEYS[name]) or {}
    beat = part.get(f"latest_{_KEYS[name]}_heartbeat")
    is_younger = beat is not None and datetime.fromisoformat(beat) > birth.started_at
    return is_younger and part.get("status") == "healthy"


def _health(url: str) -> dict[str, Any] | None:
    opener = build_opener(ProxyHandler({}))  # a proxy does not know this machine's loopback
    try:
        with opener.open(f"{url}/api/v2/monitor/health", timeout=_TIMEOUT_S) as answer:
            found = json.loads(answer.read(_LIMIT_BYTES))
    except (URLError, OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
