"""An allowance lets so many through at once, and so many in a second on the long run."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from basecamp.errors import RequestRefusedError, headers_of
from basecamp.rate import NO_LIMIT, Allowances, Rate, RequestRates


class Seconds:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def passed(allowances: Allowances, count: int, key: str = "a") -> int:
    found = [allowances.take(key) for _ in range(count)]
    return sum(one is None or not one.wait_s for one in found)


def test_a_burst_passes_and_then_so_many_a_second(seconds: Seconds) -> None:
    allowances = Allowances("reads", Rate(50, 100), seconds)
    assert passed(allowances, 150) == 100
    for _ in range(20):
        seconds.now += 1
        assert passed(allowances, 150) == 50
    seconds.now += 3600
    assert passed(allowances, 150) == 100


def test_an_hour_of_steady_asking_gets_the_rate_and_no_more(seconds: Seconds) -> None:
    allowances = Allowances("changes", Rate(10, 50), seconds)
    count = 0
    for _ in range(36_000):
        seconds.now += 0.1
        count += passed(allowances, 2)
    assert count == pytest.approx(36_000 + 50, abs=2)


def test_one_key_uses_up_nothing_of_another(seconds: Seconds) -> None:
    allowances = Allowances("reads", Rate(1, 2), seconds)
    assert passed(allowances, 5, "a") == 2
    assert passed(allowances, 5, "b") == 2


def test_many_threads_get_no_more_than_one() -> None:
    allowances = Allowances("reads", Rate(1, 100), lambda: 5.0)
    begin = threading.Barrier(8)

    def ask(_: int) -> int:
        begin.wait(10)
        return passed(allowances, 50)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 100


def test_a_refusal_tells_when_to_come_again(seconds: Seconds) -> None:
    allowances = Allowances("runs", Rate(1, 1), seconds)
    first, second = allowances.take("a"), allowances.take("a")
    assert first is not None
    first.check("")
    assert first.headers == {"RateLimit-Policy": '"runs";q=1;w=1', "RateLimit": '"runs";r=0;t=1'}
    assert second is not None
    with pytest.raises(RequestRefusedError) as refused:
        second.check("Too soon.")
    assert (refused.value.status, refused.value.code) == (429, "DLI-503")
    assert headers_of(refused.value) == {**second.headers, "Retry-After": "1"}


def test_reads_and_changes_are_counted_apart_and_this_machine_not_at_all(seconds: Seconds) -> None:
    rates = RequestRates(Rate(1, 1), Rate(1, 1), seconds)
    for method, left in (("GET", 0), ("POST", 0)):
        found = rates.take("tok_1", method)
        assert found is not None
        assert (found.left, found.wait_s) == (left, 0)
    for method in ("HEAD", "DELETE"):
        found = rates.take("tok_1", method)
        assert found is not None
        assert found.wait_s > 0
    assert rates.take(None, "GET") is None


def test_no_limit_is_none() -> None:
    assert passed(Allowances("reads", NO_LIMIT), 1000) == 1000
