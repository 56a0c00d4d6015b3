"""Samples of a duration, a size or a rate, taken from several sides in turn.

Durations are milliseconds everywhere.
"""

from __future__ import annotations

import math
import subprocess
import sys
import time
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["WARM_UPS", "Command", "Samples", "Side", "Timed", "in_turn", "progress"]

WARM_UPS = 1


@dataclass
class Samples:
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def lowest(self) -> float:
        return min(self.values)

    @property
    def highest(self) -> float:
        return max(self.values)

    @property
    def p95(self) -> float:
        return quantiles(self.values, n=20, method="inclusive")[18] if self.values else math.nan

    @property
    def p99(self) -> float:
        return quantiles(self.values, n=100, method="inclusive")[98] if self.values else math.nan


@dataclass(frozen=True)
class Side:
    """Who is measured and how: each call of `sample` yields one value."""

    name: str
    sample: Callable[[], float]


@dataclass(frozen=True)
class Command:
    """A whole process; its sample is the milliseconds from start to end."""

    words: Sequence[str]
    directory: Path
    env: Mapping[str, str]

    def run(self) -> str:
        """Run it and return what it printed.

        Raises:
            RuntimeError: it ended with another status than 0.
        """
        done = subprocess.run(
            self.words,
            cwd=self.directory,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"{' '.join(self.words)} ended with {done.returncode}: {done.stderr or done.stdout}"
            )
        return done.stdout

    def __call__(self) -> float:
        started = time.perf_counter()
        self.run()
        return (time.perf_counter() - started) * 1000


@dataclass
class Timed:
    """A sample of two times: of the whole process, and of its work in the engine."""

    command: Command
    engine_ms: Callable[[str], float]
    engine: Samples = field(default_factory=Samples)

    def __call__(self) -> float:
        started = time.perf_counter()
        printed = self.command.run()
        whole_ms = (time.perf_counter() - started) * 1000
        self.engine.values.append(self.engine_ms(printed))
        return whole_ms

    def kept(self) -> Samples:
        return Samples(self.engine.values[WARM_UPS:])


def in_turn(sides: Sequence[Side], rounds: int, *, warm_ups: int = WARM_UPS) -> list[Samples]:
    """A B A B ...: what else the machine does then falls on all sides alike."""
    samples = [Samples() for _ in sides]
    for number in range(-warm_ups, rounds):
        for side, taken in zip(sides, samples, strict=True):
            value = side.sample()
            if number >= 0:
                taken.values.append(value)
    return samples


def progress(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
