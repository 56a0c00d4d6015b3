"""One line of the results: a figure with its yardstick, its target and what came out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tabulate import tabulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.measure import Samples

__all__ = ["Figure", "Target", "at_least_times", "at_most", "at_most_times", "table"]

_HEADER = ("figure", "unit", "yardstick", "ours", "ratio", "target", "reached")


@dataclass(frozen=True)
class Target:
    """A limit for our median, absolute or as a multiple of the yardstick's."""

    limit: float
    is_ratio: bool
    is_floor: bool = False

    def text(self, unit: str) -> str:
        sign = "≥" if self.is_floor else "≤"
        return f"{sign} {self.limit:g}" + ("x" if self.is_ratio else f" {unit}")

    def is_reached_by(self, value: float) -> bool:
        return value >= self.limit if self.is_floor else value <= self.limit


def at_most(limit: float) -> Target:
    return Target(limit, is_ratio=False)


def at_most_times(limit: float) -> Target:
    return Target(limit, is_ratio=True)


def at_least_times(limit: float) -> Target:
    return Target(limit, is_ratio=True, is_floor=True)


@dataclass(frozen=True)
class Figure:
    """`target` is None for a line that only explains another one."""

    name: str
    unit: str
    ours: Samples
    target: Target | None = None
    yardstick: Samples | None = None
    quantity: Literal["median", "p95", "p99"] = "median"

    @property
    def value(self) -> float:
        found: float = getattr(self.ours, self.quantity)
        return found

    @property
    def ratio(self) -> float | None:
        return self.value / self.yardstick.median if self.yardstick else None

    @property
    def is_reached(self) -> bool | None:
        if self.target is None:
            return None
        compared = self.ratio if self.target.is_ratio else self.value
        return compared is not None and self.target.is_reached_by(compared)

    def cells(self) -> tuple[str, ...]:
        ratio, reached = self.ratio, self.is_reached
        return (
            self.name,
            self.unit,
            _spread(self.yardstick, self.yardstick.median) if self.yardstick else "",
            _spread(self.ours, self.value),
            "" if ratio is None else f"{ratio:.3g}x",
            self.target.text(self.unit) if self.target else "",
            {True: "yes", False: "NO", None: ""}[reached],
        )


def table(figures: Sequence[Figure]) -> str:
    """Markdown; each side reads: median (lowest to highest)."""
    rows = [figure.cells() for figure in figures]
    return tabulate(rows, headers=_HEADER, tablefmt="github", disable_numparse=True)


def _spread(samples: Samples, value: float) -> str:
    if len(samples.values) == 1:
        return _number(value)
    return f"{_number(value)} ({_number(samples.lowest)} to {_number(samples.highest)})"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
