"""A waiting request is answered by the event, holds no thread, and ends with the server."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from basecamp.routes import watch

NAME = "shop.sales.daily"


def test_the_status_of_an_ended_run_comes_at_once(site: Any) -> None:
    site.register()
    run_id = site.start_run()
    site.end_run(run_id)
    began_at = time.monotonic()
    answer = site.get(f"/api/v1/workflows/runs/{run_id}?wait=30")
    assert answer.body["status"] == "COMPLETED"
    assert time.monotonic() - began_at < 5


def test_without_news_the_answer_comes_when_the_time_is_up(site: Any) -> None:
    site.register()
    run_id = site.start_run()
    began_at = time.monotonic()
    assert site.get(f"/api/v1/workflows/runs/{run_id}?wait=1").body["status"] == "PENDING"
    assert time.monotonic() - began_at >= 1


@pytest.fixture
def by_notice_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits looks again only when it is told to."""
    monkeypatch.setattr(watch, "_LOOK_AGAIN_SECONDS", 60.0)


@pytest.mark.usefixtures("by_notice_only")
def test_many_wait_at_once_and_others_are_served_meanwhile(site: Any) -> None:
    site.register()
    run_id = site.start_run()
    waiting = site.basecamp.site.watch._waiting
    with ThreadPoolExecutor(120) as pool:
        asked = [
            pool.submit(site.get, f"/api/v1/workflows/runs/{run_id}?wait=30") for _ in range(120)
        ]
        site.wait_until(lambda: len(waiting.get(run_id, ())) == 120)
        assert site.get("/api/v1/workflows").status == 200
        site.end_run(run_id)
        assert {answer.result(10).body["status"] for answer in asked} == {"COMPLETED"}
    assert waiting == {}


@pytest.mark.usefixtures("by_notice_only")
def test_stopping_wakes_who_waits(site: Any) -> None:
    site.register()
    run_id = site.start_run()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(site.get, f"/api/v1/workflows/runs/{run_id}?wait=30")
        site.wait_until(lambda: site.basecamp.site.watch._waiting)
        site.post(f"/api/v1/workflows/runs/{run_id}/stop")
        assert asked.result(5).body["status"] == "KILLED"


def test_a_change_without_notice_is_seen_soon(site: Any) -> None:
    site.register()
    run_id = site.start_run()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(site.get, f"/api/v1/workflows/runs/{run_id}?wait=30")
        site.wait_until(lambda: site.basecamp.site.watch._waiting)
        site.request("DELETE", f"/api/v1/workflows/{NAME}")
        assert asked.result(5).body["status"] == "KILLED"


@pytest.mark.usefixtures("by_notice_only")
def test_new_log_lines_are_answered_as_they_come(site: Any) -> None:
    site.register()
    run_id = site.start_run()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(site.get, f"/api/v1/workflows/runs/{run_id}/logs?wait=30")
        site.wait_until(lambda: site.basecamp.site.watch._waiting)
        line = {"seq": 1, "at": "2026-01-01T00:00:00Z", "level": "info", "message": "begins"}
        site.engine.lines.append(line)
        site.engine.tell(run_id)
        found = asked.result(5).body
    assert [one["message"] for one in found["lines"]] == ["begins"]
    assert (found["next"], found["done"]) == (1, False)
    site.engine.lines.append({**line, "seq": 2, "message": "goes on"})
    logs = f"/api/v1/workflows/runs/{run_id}/logs"
    assert [one["message"] for one in site.get(f"{logs}?limit=1").body["lines"]] == ["begins"]
    assert [one["message"] for one in site.get(f"{logs}?after=1").body["lines"]] == ["goes on"]


def test_the_end_of_the_server_keeps_nobody_waiting(site: Any) -> None:
    site.register()
    run_id = site.start_run()
    began_at = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(site.get, f"/api/v1/workflows/runs/{run_id}?wait=30")
        site.wait_until(lambda: site.basecamp.site.watch._waiting)
        threading.Thread(target=site.stop).start()
        assert asked.result(8).body["status"] == "PENDING"
    assert time.monotonic() - began_at < 8
