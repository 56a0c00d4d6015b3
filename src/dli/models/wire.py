"""Data classes as JSON values and back, for what one process asks another."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter

__all__ = ["from_wire", "to_wire"]

Kind = TypeVar("Kind")


def to_wire(kind: type[Kind], value: Kind) -> Any:
    """A value as JSON has it; instants are ISO texts."""
    return TypeAdapter(kind).dump_python(value, mode="json")


def from_wire(kind: type[Kind], value: Any) -> Kind:
    """What `to_wire` was given."""
    return TypeAdapter(kind).validate_python(value)
