"""Values of database cells as JSON has them."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["json_value"]


def json_value(value: Any) -> Any:
    """Numbers stay numbers, what is no number is null, days and instants are ISO texts."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [json_value(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return value.isoformat() if hasattr(value, "isoformat") else _number_or_text(value)


def _number_or_text(value: object) -> float | int | str | None:
    from decimal import Decimal

    if not isinstance(value, Decimal):
        return str(value)
    if not value.is_finite():
        return None
    return int(value) if value == value.to_integral_value() else float(value)
