"""When more is asked than threads can do, some are told to come again, and soon."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from basecamp.routes import waiting_room

NAME = "shop.sales.daily"
RUN = f"/api/v1/workflows/{NAME}/run"
PATIENCE_S = 0.3


@pytest.fixture
def held(site: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A server with two turns whose runs cannot start until this is set."""
    monkeypatch.setattr(waiting_room, "_TURNS", 2)
    monkeypatch.setattr(waiting_room, "_PATIENCE_SECONDS", PATIENCE_S)
    site.basecamp.site.waiting_room._turns = None
    assert site.register(NAME).status == 201
    free = threading.Event()
    monkeypatch.setattr(site.engine, "can_hold", True)
    monkeypatch.setattr(site.engine, "admit", lambda _: free.wait(30))
    yield free
    free.set()


def in_turn(site: Any) -> bool:
    turns = site.basecamp.site.waiting_room._turns
    return turns is not None and bool(turns.locked())


def test_f24_who_would_wait_too_long_is_told_to_come_again(
    site: Any, held: threading.Event
) -> None:
    with ThreadPoolExecutor(8) as pool:
        first = [pool.submit(site.post, RUN, {}) for _ in range(2)]
        site.wait_until(lambda: in_turn(site))
        later = [pool.submit(site.post, RUN, {}, headers={"Idempotency-Key": "k"}) for _ in "abc"]
        for asked in later:
            answer = asked.result(10)
            assert (answer.status, answer.body["code"]) == (503, "DLI-504")
            assert answer.headers["retry-after"] == "1"
        assert site.get("/readyz").status == 200
        held.set()
        assert {asked.result(10).status for asked in first} == {202}
    assert site.post(RUN, {}, headers={"Idempotency-Key": "k"}).status == 202
    assert site.get("/api/v1/workflows/history").body["total_count"] == 3


def test_more_than_can_sit_are_sent_away_at_once(
    site: Any, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_room, "_PATIENCE_SECONDS", 30.0)
    monkeypatch.setattr(waiting_room, "_SEATS", 1)
    room = site.basecamp.site.waiting_room
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(site.post, RUN, {}) for _ in range(2)]
        site.wait_until(lambda: in_turn(site))
        asked.append(pool.submit(site.post, RUN, {}))
        site.wait_until(lambda: room._waiting == 1)
        assert site.post(RUN, {}).status == 503
        held.set()
        assert {one.result(10).status for one in asked} == {202}
