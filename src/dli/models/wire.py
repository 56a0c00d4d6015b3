"""Data classes as JSON values and back, for what one process asks another."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["from_wire", "to_wire"]

Kind = TypeVar("Kind")


def to_wire(kind: type[Kind], value: Kind) -> Any:
    """A value as JSON has it; instants are ISO texts."""
    return _adapter(kind).dump_python(value, mode="json")


def from_wire(kind: type[Kind], value: Any) -> Kind:
    """What `to_wire` was given."""
    found: Kind = _adapter(kind).validate_python(value)
    return found


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
