"""Work comes round when it is asked for and when its time has come; one bad round ends none."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from basecamp.clock import SystemClock
from basecamp.engines.leadership import NotLeaderError
from basecamp.services.rounds import Rounds

DEADLINE_S = 30


class Work:
    def __init__(self) -> None:
        self.done = threading.Semaphore(0)
        self.following: datetime | None = None
        self.error: Exception | None = None

    def __call__(self) -> datetime | None:
        self.done.release()
        if self.error is not None:
            raise self.error
        return self.following

    def wait(self) -> None:
        assert self.done.acquire(timeout=DEADLINE_S)


def test_a_round_is_made_at_once_and_when_it_is_asked_for() -> None:
    work = Work()
    rounds = Rounds("test", work, SystemClock())
    rounds.start()
    work.wait()
    rounds.wake()
    work.wait()
    rounds.stop()
    assert rounds.is_ending


def test_a_round_is_made_when_its_time_has_come() -> None:
    work = Work()
    work.following = datetime.now(UTC) + timedelta(seconds=0.6)
    rounds = Rounds("test", work, SystemClock())
    rounds.start()
    work.wait()
    work.wait()
    rounds.stop()


@pytest.mark.parametrize("error", [NotLeaderError("x"), ValueError("x")])
def test_a_bad_round_does_not_end_the_others(error: Exception) -> None:
    work = Work()
    work.error = error
    rounds = Rounds("test", work, SystemClock())
    rounds.start()
    work.wait()
    rounds.wake()
    work.wait()
    rounds.stop()


def test_rounds_that_never_began_can_be_stopped() -> None:
    Rounds("test", Work(), SystemClock()).stop()
