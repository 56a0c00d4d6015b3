"""How much of everything a figure is taken with."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FULL", "QUICK", "Scale"]


@dataclass(frozen=True)
class Scale:
    """`neighbours` are the workflows that are there already where one more is added."""

    workflows: int
    generator: int
    neighbours: int
    samples: int
    starts: int
    watch_s: float


FULL = Scale(workflows=5_000, generator=1_000, neighbours=1_000, samples=40, starts=3, watch_s=60)
QUICK = Scale(workflows=80, generator=40, neighbours=20, samples=3, starts=1, watch_s=10)
"""Shows that a figure can be taken; what comes out says nothing."""
