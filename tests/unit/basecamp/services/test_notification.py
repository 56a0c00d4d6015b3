"""A change of a workflow's source is told once to all whom its specs name."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from basecamp.engines.leadership import SoleLeadership
from basecamp.services.command import Caller, Idempotency
from basecamp.services.notification import Notifications
from basecamp.services.permission import local_actor
from basecamp.services.publish import PublishService
from basecamp.services.workflow import WorkflowService
from basecamp.specstore.file import FileSpecStore
from basecamp.store import table
from basecamp.store.database import Database
from inbox import Inbox, opened_inbox
from process import wait_for

NAME = "shop.sales.daily"
ANA, CI = Caller(local_actor("ana")), Caller(local_actor("ci"))


def spec(*channels: str) -> dict[str, Any]:
    targets = [{"type": "pager", "channel": channel} for channel in channels]
    schedule = {"cron": "0 6 * * *", "notifications": {"on_source_change": targets}}
    own = {"name": NAME, "owner": "ana", "team": "t", "query_statement": "SELECT 1"}
    return {**own, "schedule": schedule}


class Place:
    """Both sources of a workflow, and who is told."""

    def __init__(
        self, database: Database, engine: Any, clock: Any, inbox: Inbox, root: Path
    ) -> None:
        self.database, self.clock, self.inbox = database, clock, inbox
        self.outcomes: list[str] = []
        files = FileSpecStore(root)
        files.prepare()
        self.workflows = WorkflowService(database, engine, files, clock)
        self.publishing = PublishService(database, engine, files, clock)
        self.notifications = self.new_notifications()
        self.publishing.subscribe(self.notifications.wake)

    def new_notifications(self) -> Notifications:
        addresses = {"DLI_NOTIFY_PAGER": f"{self.inbox.url}/{{channel}}"}
        leads, told = SoleLeadership(self.database), self.outcomes.append
        return Notifications(leads, addresses, self.clock, on_outcome=told)

    def register(self, *channels: str) -> None:
        self.workflows.register(
            ANA, dataset_name=NAME, cron="0 6 * * *", spec=spec(*channels), force=True
        )

    def publish(self, *specs: dict[str, Any], caller: Caller = CI) -> None:
        self.publishing.publish(caller, specs=list(specs))

    def told(self) -> list[tuple[str, str]]:
        """Paths and texts of what was sent since the last time."""
        self.notifications.send_due()
        found = [(path, body["message"]) for path, body in self.inbox.messages]
        self.inbox.messages.clear()
        return found

    def waiting(self) -> int:
        with self.database.read() as tx:
            return len(tx.execute(select(table.message)).all())


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with opened_inbox() as opened:
        yield opened


@pytest.fixture
def place(database: Database, engine: Any, clock: Any, inbox: Inbox, tmp_path: Path) -> Place:
    return Place(database, engine, clock, inbox, tmp_path / "store")


OVER = "CODE is in force; the MANUAL workflow is overridden and kept."
BACK = "CODE has gone; the MANUAL workflow is in force again, active as it was."


def test_both_ways_are_told_once_to_whom_either_side_names(place: Place) -> None:
    place.register("ops", "ana")
    place.publish(spec("ops", "git"))
    assert place.told() == [("/ops", OVER), ("/git", OVER), ("/ana", OVER)]
    place.publish(spec("ops"))  # another version of the same source
    assert place.told() == []
    place.publish()
    assert place.told() == [("/ops", BACK), ("/ana", BACK)]
    assert place.told() == []
    assert place.waiting() == 0


def test_a_workflow_with_one_source_changes_none(place: Place) -> None:
    place.publish(spec("ops"))
    place.publish()
    place.register("ops")
    assert place.told() == []


def test_a_repeated_request_does_not_tell_again(place: Place) -> None:
    place.register("ops")
    again = Caller(
        local_actor("ci"), idempotency=Idempotency("key", "POST", "/workflows/publish", "0" * 64)
    )
    place.publish(spec(), caller=again)
    place.publish(spec(), caller=again)
    assert place.told() == [("/ops", OVER)]


def test_a_channel_that_is_down_is_tried_again_by_the_next_server_too(
    place: Place, inbox: Inbox, clock: Any
) -> None:
    place.register("ops")
    place.publish(spec())
    inbox.status = 500
    assert place.told() == [("/ops", OVER)]  # was refused
    inbox.status = 200
    assert place.told() == []
    place.notifications = place.new_notifications()
    clock.advance(timedelta(seconds=10))
    assert place.told() == [("/ops", OVER)]
    assert place.waiting() == 0


def test_f49_every_attempt_has_the_id_of_its_message(
    place: Place, inbox: Inbox, clock: Any
) -> None:
    place.register("ops", "ana")
    place.publish(spec())
    inbox.status = 500
    ids: list[set[str]] = []
    for status in (500, 200):
        inbox.status = status
        place.notifications.send_due()
        ids.append({body["event_id"] for _, body in inbox.messages})
        inbox.messages.clear()
        clock.advance(timedelta(seconds=10))
    assert ids[0] == ids[1]
    assert len(ids[0]) == 2


def test_f49_a_channel_that_stays_down_is_given_up(place: Place, inbox: Inbox, clock: Any) -> None:
    place.register("ops")
    place.publish(spec())
    inbox.status = 500
    sent = 0
    for _ in range(12):
        sent += len(place.told())
        clock.advance(timedelta(hours=1))
    assert (sent, place.waiting()) == (5, 0)
    assert place.outcomes == ["failed"] * 4 + ["given_up"]


def test_a_receiver_that_says_nothing_holds_up_no_end_of_the_server(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"json://127.0.0.1:{silent.getsockname()[1]}?rto=60"
        addresses = {"DLI_NOTIFY_PAGER": url}
        sender = Notifications(SoleLeadership(place.database), addresses, place.clock)
        place.register("ops")
        sender.start()
        place.publish(spec())
        sender.wake()
        line, _ = silent.accept()
        begun = time.monotonic()
        sender.stop()
        assert time.monotonic() - begun < 25
        line.close()
    assert place.waiting() == 1


def test_the_thread_sends_as_soon_as_something_is_published(place: Place, inbox: Inbox) -> None:
    place.register("ops")
    place.notifications.start()
    try:
        place.publish(spec())
        wait_for(lambda: inbox.messages and not place.waiting())
    finally:
        place.notifications.stop()
    assert [path for path, _ in inbox.messages] == ["/ops"]
