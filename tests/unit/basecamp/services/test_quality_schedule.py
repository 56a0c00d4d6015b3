"""Quality specs with a schedule run by themselves, once for each fire, and people are told."""

import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from basecamp.engines.leadership import SoleLeadership
from basecamp.services.quality_schedule import QualitySchedule
from basecamp.store import spec, table
from basecamp.store.database import Database
from dli.exceptions import ErrorCode, ExecutionError
from dli.models.quality import DqQualityResult
from process import wait_for

Content = dict[str, Any]
NAME = "shop.sales.daily"
START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BAD = {"test_name": "key", "status": "fail", "failed_rows": 3, "error_message": None}
GOOD = {"test_name": "other", "status": "pass", "failed_rows": 0, "error_message": None}


class Place:
    """A schedule on a store, and what it has had examined."""

    def __init__(self, database: Database, clock: Any) -> None:
        self.database, self.clock = database, clock
        self.examined: list[tuple[Content, Mapping[str, Any]]] = []
        self.answers: list[list[dict[str, Any]] | Exception] = []
        self.may_end = threading.Event()
        self.may_end.set()
        self.version = 0
        self.schedule = self.new_schedule()

    def new_schedule(self) -> QualitySchedule:
        return QualitySchedule(SoleLeadership(self.database), self._examine, self.clock)

    def _examine(self, content: Content, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self.examined.append((content, parameters))
        assert self.may_end.wait(60)
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        result = DqQualityResult(target_urn=f"dataset:{NAME}", test_results=answer)
        return result.model_dump(mode="json")

    def register(self, cron: str | None = "0 6 * * *", **more: Any) -> None:
        schedule = None if cron is None else {"cron": cron, "timezone": "Asia/Seoul"}
        content = {"target": {"type": "dataset", "name": NAME}, "schedule": schedule, **more}
        self.version += 1
        with self.database.transaction() as tx:
            values = {
                "kind": "quality",
                "name": NAME,
                "version": self.version,
                "spec_hash": spec.save(tx, {"name": NAME, "spec": content}, self.clock.now()),
                "owner": "ann",
                "team": "t",
                "description": "",
                "tags": [],
                "author": "ann",
                "created_at": self.clock.now(),
            }
            tx.execute(insert(table.registration).values(values))

    def tick(self, **later: Any) -> datetime | None:
        """Let time pass, hand out what is due and wait until it is done."""
        self.clock.advance(timedelta(**later))
        following = self.schedule.tick()
        self.settle()
        return following

    def settle(self) -> None:
        wait_for(lambda: not self.schedule._under_way)

    def days(self) -> list[str]:
        return [str(parameters["execution_date"]) for _, parameters in self.examined]

    def messages(self) -> list[tuple[Any, str, str]]:
        columns = table.message.c
        with self.database.read() as tx:
            query = select(columns.target, columns.title, columns.body).order_by(columns.id)
            return [tuple(row) for row in tx.execute(query)]


@pytest.fixture
def place(database: Database, clock: Any) -> Iterator[Place]:
    clock.instant = START  # 21:00 in Seoul
    made = Place(database, clock)
    yield made
    made.may_end.set()
    made.schedule.stop()


def test_each_fire_runs_once_on_the_day_of_its_interval(place: Place) -> None:
    place.register()
    assert place.tick() == datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
    assert place.tick(hours=8, minutes=59) == datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
    assert place.days() == []
    place.tick(minutes=1)
    assert place.days() == ["2026-03-02"]  # from 6 o'clock on the 2nd to 6 o'clock on the 3rd
    place.tick(minutes=1)
    assert place.tick(hours=1) == datetime(2026, 3, 3, 21, 0, tzinfo=UTC)
    assert place.days() == ["2026-03-02"]
    assert place.examined[0][0]["target"]["name"] == NAME


def test_of_missed_fires_the_latest_is_made_up(place: Place) -> None:
    place.register()
    place.tick()
    place.tick(days=4)
    assert place.days() == ["2026-03-05"]


@pytest.mark.parametrize("schedule", [None, {"cron": "* * * * *", "enabled": False}])
def test_without_a_schedule_nothing_runs(place: Place, schedule: dict[str, Any] | None) -> None:
    place.register(schedule=schedule)
    assert place.tick() is None
    assert place.tick(days=1) is None
    assert place.days() == []


def test_a_new_version_keeps_its_fires_and_another_cron_starts_anew(place: Place) -> None:
    place.register()
    place.tick()
    place.register(tests=[{"name": "x"}])
    place.tick(hours=10)
    assert len(place.examined) == 1
    assert place.examined[0][0]["tests"] == [{"name": "x"}]
    place.register("0 12 * * *")  # in Seoul it is 7 o'clock
    assert place.tick() == datetime(2026, 3, 3, 3, 0, tzinfo=UTC)
    place.register(None)
    place.tick(days=1)
    assert len(place.examined) == 1


def test_tests_that_are_under_way_are_not_begun_again(place: Place) -> None:
    place.register("* * * * *")
    place.tick()
    place.may_end.clear()
    place.clock.advance(timedelta(minutes=1))
    place.schedule.tick()
    wait_for(lambda: place.examined)
    place.clock.advance(timedelta(minutes=1))
    place.schedule.tick()
    place.may_end.set()
    place.settle()
    assert len(place.examined) == 1
    place.tick(minutes=1)
    assert len(place.examined) == 2


def test_a_server_that_dies_in_between_lets_the_next_one_repeat(place: Place) -> None:
    place.register()
    place.tick()
    place.may_end.clear()
    place.clock.advance(timedelta(hours=9))
    place.schedule.tick()
    wait_for(lambda: place.examined)  # and this server does not come to its end
    following = place.new_schedule()
    following.tick()
    assert len(place.examined) == 1  # it may be that it is only slow
    place.clock.advance(timedelta(minutes=1))
    following.tick()
    wait_for(lambda: len(place.examined) == 2)
    place.may_end.set()
    wait_for(lambda: not following._under_way)
    place.tick(minutes=1)
    assert place.days() == ["2026-03-02"] * 2
    following.stop()


def test_an_end_that_cannot_be_stored_is_repeated_a_minute_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.register()
    place.tick()
    with monkeypatch.context() as broken:
        broken.setattr("basecamp.store.quality_schedule.end", _full_disk)
        place.tick(hours=9)
        place.tick(seconds=59)
        assert len(place.examined) == 1
        place.tick(seconds=1)
    place.tick(minutes=1)
    place.tick(minutes=1)
    assert place.days() == ["2026-03-02"] * 3


def _full_disk(*_: object) -> None:
    raise OSError("no space left")


def test_what_nobody_expects_ends_the_fire_and_is_told(place: Place) -> None:
    place.register(notifications={"slack": {"channel": "#a"}})
    place.tick()
    place.answers = [RuntimeError("a value that is nobody's business")]
    place.tick(hours=9)
    place.tick(minutes=5)
    assert len(place.examined) == 1
    ((_, _, body),) = place.messages()
    assert body == "DLI-401: Unexpected RuntimeError."


def test_a_warehouse_that_is_held_is_tried_again_and_told_in_the_end(place: Place) -> None:
    held = ExecutionError("The file is open elsewhere", code=ErrorCode.CONNECTION_FAILED)
    place.register(notifications={"slack": {"channel": "#data"}})
    place.tick()
    place.answers = [held]
    place.tick(hours=9)
    assert place.tick(seconds=59) is not None
    assert len(place.examined) == 1
    place.tick(seconds=1)
    assert place.days() == ["2026-03-02"] * 2
    assert place.messages() == []
    place.answers = [held] * 5
    place.tick(days=1)
    for _ in range(5):
        place.tick(seconds=60)
    assert len(place.examined) == 7
    ((target, title, body),) = place.messages()
    assert target == {"type": "slack", "channel": "#data"}
    assert title == f"Quality of {NAME}: the tests could not run"
    assert body == "DLI-403: The file is open elsewhere"


@pytest.mark.parametrize(
    ("wishes", "status", "channels"),
    [
        ({"slack": {"channel": "#a"}}, "fail", ["#a"]),
        ({"slack": {"channel": "#a"}}, "error", ["#a"]),
        ({"slack": {"channel": "#a"}}, "warn", []),
        ({"slack": {"channel": "#a", "on_success": True}}, "pass", ["#a"]),
        ({"slack": {"channel": "#a", "on_failure": False}}, "fail", []),
        ({"email": {"recipients": ["b@x", "c@x"]}}, "fail", ["b@x", "c@x"]),
        ({}, "fail", []),
    ],
)
def test_people_are_told_as_they_wish(
    place: Place, wishes: dict[str, Any], status: str, channels: list[str]
) -> None:
    place.register(notifications=wishes)
    place.tick()
    place.answers = [[{**BAD, "status": status}, GOOD]]
    place.tick(hours=9)
    assert [target["channel"] for target, _, _ in place.messages()] == channels
    for _, title, body in place.messages():
        assert title == f"Quality of {NAME}: {status}"
        assert body == ("" if status == "pass" else f"key: {status}, 3 failing rows")


def test_only_the_leader_runs_them(place: Place) -> None:
    class Follower(SoleLeadership):
        term = None

    place.register()
    place.tick()
    place.schedule = QualitySchedule(Follower(place.database), place._examine, place.clock)
    assert place.tick(hours=9) is None
    assert place.days() == []


def test_the_thread_runs_what_is_due_and_is_woken_by_a_registration(place: Place) -> None:
    place.schedule.start()
    place.register("* * * * *")
    place.clock.advance(timedelta(seconds=1))
    place.schedule.wake()

    def is_known() -> bool:
        with place.database.read() as tx:
            return bool(tx.execute(select(table.quality_schedule.c.name)).all())

    wait_for(is_known)
    place.clock.advance(timedelta(minutes=1))
    place.schedule.wake()
    wait_for(lambda: place.examined)
