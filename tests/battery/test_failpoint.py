"""A process is killed at each named point in turn; the next one goes on as if nothing had been."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from basecamp.store.table import HEAD
from campaign import Campaign
from ward import Ward, at_once, opened_ward

ROOT = Path(__file__).parents[2]
MOST = 8
SCHEMA = re.compile(r"schema\.")


def points() -> list[str]:
    """Every failpoint of the server and its worker."""
    sources = (ROOT / "src" / "basecamp").rglob("*.py")
    texts = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    return sorted(set(re.findall(r'failpoint\("([a-z_.]+)"\)', texts)))


@dataclass(frozen=True)
class Plan:
    """One case: which point, at which passage of it, in a story of which order."""

    point: str
    depth: float
    seed: int
    revision: str | None


def plan(point: str, dice: random.Random) -> Plan:
    revision = None
    if SCHEMA.match(point):
        known = [f"{number:04}" for number in range(1, int(HEAD))]
        revision = dice.choice(known) if point == "schema.step" else ""
    return Plan(point, dice.random(), dice.randrange(10**9), revision)


class Depths:
    """How often each point is passed at most, as stories show that did not come so far."""

    def __init__(self, ward: Ward) -> None:
        self._ward = ward
        self._most: dict[str, int] = {}

    def treat(self, planned: Plan) -> bool:
        """Whether a process was killed there."""
        while True:
            most = self._most.get(planned.point, MOST)
            times = 1 + int(planned.depth * most)
            if play(self._ward, planned, times):
                return True
            if times == 1:
                return False
            self._most[planned.point] = times - 1


def play(ward: Ward, planned: Plan, times: int) -> bool:
    try:
        with ward.case(planned.seed, planned.revision) as case:
            mark = Path(case.project).with_name("mark")
            code = ward.play(replace(case, trap=f"{planned.point}:{times}:{mark}"))
            # A worker that is killed does not take the server along.
            is_fatal = mark.exists() and not planned.point.startswith("worker.")
            assert code == (-9 if is_fatal else 0), ward.log()
            ward.check(case)
            return mark.exists()
    except AssertionError as exc:
        exc.add_note(f"passage {times}, {planned}")
        raise


@pytest.fixture
def ward() -> Iterator[Ward]:
    with opened_ward() as opened:
        yield opened


@pytest.mark.timeout(1800)
def test_t2_killed_at_every_named_point_nothing_is_lost_or_doubled(
    campaign: Campaign, ward: Ward
) -> None:
    names = points()
    each = -(-campaign.size(ci=300, long=5_000) // len(names))
    plans = [plan(name, campaign.random) for name in names for _ in range(each)]
    hits: Counter[str] = Counter(dict.fromkeys(names, 0))
    for planned, is_hit in zip(plans, at_once(Depths(ward).treat, plans), strict=True):
        hits[planned.point] += is_hit
        campaign.count("cases")
        campaign.count("kills", int(is_hit))
    campaign.count("points", len(names))
    rarest = min(hits, key=lambda name: hits[name])
    campaign.figure(f"fewest kills at a point, {rarest}", hits[rarest], at_least=5)
