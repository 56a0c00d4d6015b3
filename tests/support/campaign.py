"""One campaign of the battery: its seed, its size, what it counted and what it measured."""

import random
import secrets
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Campaign", "Figure", "Size"]

Size = Literal["ci", "long"]


@dataclass(frozen=True)
class Figure:
    """What was measured, and what it may be at most and must be at least."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: float | None = None

    @property
    def is_missed(self) -> bool:
        is_over = self.limit is not None and not self.value <= self.limit
        return is_over or (self.at_least is not None and not self.value >= self.at_least)

    def __str__(self) -> str:
        bounds = {"at most": self.limit, "at least": self.at_least}
        told = ", ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)
        return f"{self.name} {self.value:.4g} {self.unit}".strip() + (f" ({told})" if told else "")


class Campaign:
    """Handed to a test of the battery; what it tells is printed and kept when the test ends.

    A figure beyond its bound fails the test once its body is done, so that all figures are known.
    """

    def __init__(self, test: str, size: Size, seed: int | None = None) -> None:
        self.test = test
        self.seed = secrets.randbelow(10**9) if seed is None else seed
        self.random = random.Random(self.seed)
        self.counts: Counter[str] = Counter()
        self.figures: list[Figure] = []
        self._size = size

    def size(self, ci: int, long: int) -> int:
        """How much to do: in each push, and before a release."""
        return ci if self._size == "ci" else long

    def count(self, what: str, number: int = 1) -> None:
        self.counts[what] += number

    def figure(
        self,
        name: str,
        value: float,
        unit: str = "",
        *,
        limit: float | None = None,
        at_least: float | None = None,
    ) -> None:
        self.figures.append(Figure(name, value, unit, limit, at_least))

    def missed(self) -> list[str]:
        return [str(figure) for figure in self.figures if figure.is_missed]

    def record(self) -> dict[str, Any]:
        """As JSON, for whoever prints and keeps it."""
        return {
            "test": self.test,
            "size": self._size,
            "seed": self.seed,
            "counts": dict(self.counts),
            "figures": [asdict(figure) for figure in self.figures],
        }
