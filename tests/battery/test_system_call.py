"""A server is killed in the middle of a system call that writes, of each kind and at each place."""

from collections.abc import Iterator

import pytest

from campaign import Campaign
from ward import Ward, at_once, needs_strace, opened_ward

CALLS = ("pwrite64", "write", "fdatasync", "fsync", "ftruncate", "rename", "unlink")
PLACES = 30
"""No thread of the story makes more calls of one kind than about this many."""


@pytest.fixture
def ward() -> Iterator[Ward]:
    with opened_ward() as opened:
        yield opened


@needs_strace
@pytest.mark.timeout(1800)
def test_t3_killed_amid_any_write_nothing_is_lost_or_doubled(
    campaign: Campaign, ward: Ward
) -> None:
    every = [(call, place) for call in CALLS for place in range(1, PLACES + 1)]
    points = campaign.random.sample(every, campaign.size(ci=40, long=len(every)))

    def kill_at(point: tuple[str, int]) -> bool:
        call, place = point
        seed = campaign.seed + place
        try:
            with ward.case(seed) as case:
                is_hit = ward.play_traced(case, f"{call}:signal=KILL:when={place}")
                ward.check(case)
                return is_hit
        except AssertionError as exc:
            exc.add_note(f"{call} number {place}, story {seed}")
            raise

    for is_hit in at_once(kill_at, points):
        campaign.count("points")
        campaign.count("kills", int(is_hit))
    campaign.figure("kills", campaign.counts["kills"], at_least=len(points) / 4)
