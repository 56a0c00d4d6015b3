"""Who keeps an eye on an engine: told what went well, and what failed by its word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from basecamp.store.tally import Tally

TICK_AGE_LIMIT_S = 30.0
"""A scheduler that has not looked at its clock for so long is stuck."""


@dataclass(frozen=True)
class Observer:
    """Both are called from the engine's thread and must not wait for anything."""

    progressed: Callable[[Tally], None]
    """What a stored transaction has changed."""
    failed: Callable[[str], None]


UNOBSERVED = Observer(lambda _: None, lambda _: None)
