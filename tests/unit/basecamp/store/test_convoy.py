"""Writers that come close together share a commit, and nothing else."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import Connection, event, text

from basecamp.store import audit
from basecamp.store.database import Database
from dli.exceptions import ServerError

WRITERS = 24
PATIENCE_S = 30
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def notes(database: Database) -> Iterator[Database]:
    with database.transaction() as tx:
        tx.execute(text("CREATE TABLE note (text TEXT)"))
    yield database
    with database.transaction() as tx:
        tx.execute(text("DROP TABLE note"))


def write(database: Database, note: str, *, is_alone: bool = False) -> None:
    with database.transaction(is_alone=is_alone) as tx:
        tx.execute(text("INSERT INTO note VALUES (:note)"), {"note": note})


def written(database: Database) -> list[str]:
    with database.read() as tx:
        return list(tx.execute(text("SELECT text FROM note ORDER BY text")).scalars())


class Crowd:
    """Threads that all wait for their turn, in order, while another one has it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.commits: list[None] = []
        event.listen(database.engine, "commit", lambda _: self.commits.append(None))

    def run(
        self, works: Sequence[Callable[[], None]], *, at_last: Callable[[], None] = lambda: None
    ) -> list[Future[None]]:
        """What became of those who came while another one wrote, who does `at_last` at its end."""
        done: list[Future[None]] = []
        with (
            suppress(KeyError, ServerError),
            ThreadPoolExecutor(len(works)) as threads,
            self.database.transaction() as tx,
        ):
            tx.execute(text("INSERT INTO note VALUES ('first')"))
            for work in works:
                line = len(self.database._convoys._line)
                done.append(threads.submit(work))
                self.wait_until_longer(line)
            self.commits.clear()
            at_last()
        return done

    def wait_until_longer(self, length: int) -> None:
        pause, left = threading.Event(), PATIENCE_S / 0.001
        while len(self.database._convoys._line) <= length:
            pause.wait(0.001)
            left -= 1
            assert left


@pytest.fixture
def crowd(notes: Database, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    monkeypatch.setattr("basecamp.store.convoy._LONGEST_S", PATIENCE_S)
    return Crowd(notes)


def names(count: int) -> list[str]:
    return [f"w{number:02}" for number in range(count)]


def test_those_who_wait_are_stored_by_one_commit(crowd: Crowd) -> None:
    works = [partial(write, crowd.database, name) for name in names(WRITERS)]
    for one in crowd.run(works):
        one.result(PATIENCE_S)
    assert written(crowd.database) == ["first", *names(WRITERS)]
    assert len(crowd.commits) == 1


def test_who_fails_among_others_is_undone_alone(crowd: Crowd) -> None:
    def fail() -> None:
        with crowd.database.transaction() as tx:
            tx.execute(text("INSERT INTO note VALUES ('failed')"))
            raise KeyError

    def refused() -> None:
        with crowd.database.transaction() as tx:
            tx.execute(text("INSERT INTO nowhere VALUES (1)"))

    a, b, c = (partial(write, crowd.database, name) for name in "abc")
    first, failing, second, breaking, third = crowd.run([a, fail, b, refused, c])
    assert isinstance(failing.exception(PATIENCE_S), KeyError)
    assert isinstance(breaking.exception(PATIENCE_S), ServerError)
    for one in (first, second, third):
        one.result(PATIENCE_S)
    assert written(crowd.database) == ["a", "b", "c", "first"]
    assert len(crowd.commits) == 1


def test_what_one_who_failed_knew_is_known_no_more(crowd: Crowd) -> None:
    def record(resource: str, *, fails: bool) -> None:
        with crowd.database.transaction() as tx:
            audit.record(tx, at=NOON, actor="ana", action="a", resource=resource)
            if fails:
                raise KeyError

    for one in crowd.run([partial(record, name, fails=name == "w01") for name in names(3)]):
        one.exception(PATIENCE_S)
    with crowd.database.read() as tx:
        chain = audit.walk(tx)
    assert (chain.rows, chain.broken_id) == (2, None)


def test_the_last_one_failing_stores_the_others(crowd: Crowd) -> None:
    def fail() -> None:
        with crowd.database.transaction() as tx:
            tx.execute(text("INSERT INTO note VALUES ('failed')"))
            raise KeyError

    (failing,) = crowd.run([fail])
    assert isinstance(failing.exception(PATIENCE_S), KeyError)
    assert written(crowd.database) == ["first"]


def test_the_first_one_failing_leaves_the_others_their_turn(crowd: Crowd) -> None:
    def fail() -> None:
        raise KeyError

    works = [partial(write, crowd.database, name) for name in names(3)]
    for one in crowd.run(works, at_last=fail):
        one.result(PATIENCE_S)
    assert written(crowd.database) == names(3)


def test_a_commit_that_fails_is_told_to_all_whom_it_was_to_store(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[None] = []

    def break_down(connection: Connection) -> None:
        failed.append(None)
        connection.execute(text("SELECT * FROM nowhere"))  # an error of the database's own

    def prepare() -> None:
        monkeypatch.setattr(crowd.database._convoys, "_on_end", break_down)

    done = crowd.run([partial(write, crowd.database, name) for name in names(2)], at_last=prepare)
    monkeypatch.undo()
    assert [type(one.exception(PATIENCE_S)) for one in done] == [ServerError, ServerError]
    assert written(crowd.database) == []
    assert len(failed) == 1
    write(crowd.database, "later")
    assert written(crowd.database) == ["later"]


def test_nobody_waits_for_the_commit_of_who_is_alone(crowd: Crowd) -> None:
    def alone() -> None:
        with crowd.database.transaction(is_alone=True) as tx:
            tx.execute(text("INSERT INTO note VALUES ('alone')"))
            assert written(crowd.database) == ["a", "first"]

    def after() -> None:
        with crowd.database.transaction() as tx:
            assert "alone" in written(crowd.database)
            tx.execute(text("INSERT INTO note VALUES ('b')"))

    for one in crowd.run([partial(write, crowd.database, "a"), alone, after]):
        one.result(PATIENCE_S)
    assert written(crowd.database) == ["a", "alone", "b", "first"]
