"""Plays the story of `crash_story` with faults and looks at what they leave."""

import json
import os
import queue
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import duckdb
import pytest

import crash_story
from basecamp.store import audit
from basecamp.store.database import Database
from basecamp.store.table import HEAD
from crash_story import BASE, CODE, NEW, STOPPED, TICKS, Case, Nursery
from inbox import Inbox, opened_inbox

__all__ = ["Ward", "at_once", "needs_strace", "opened_ward"]

Planned = TypeVar("Planned")

NURSERIES = 2
needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is not installed (apt-get install strace)"
)
# What the story and its beginning leave in the audit, whatever happened on the way.
AUDIT = {
    "backfill.start": 1,
    "code.publish": 1,
    "code.put": 1,
    "run.start": 2,
    "run.stop": 1,
    "workflow.pause": 1,
    "workflow.register": 4,
    "workflow.unpause": 1,
    "workflow.unregister": 1,
}


class Ward:
    """Cases with one beginning; several at once may be played."""

    def __init__(self, folder: Path, inbox: Inbox) -> None:
        self._folder = folder
        self._inbox = inbox
        self._beginning = folder / "beginning"
        self._new_project(self._beginning)
        self._nurseries: queue.SimpleQueue[Nursery] = queue.SimpleQueue()
        for number in range(NURSERIES):
            self._nurseries.put(Nursery(folder / f"nursery-{number}.log"))
        with self._nursery() as nursery:
            first = Case(str(self._beginning), 0, "", inbox.url, is_first=True)
            assert nursery.play(first) == 0, self.log()

    def close(self) -> None:
        for _ in range(NURSERIES):
            self._nurseries.get().close()

    def log(self) -> str:
        return "\n".join(path.read_text()[-4000:] for path in self._folder.glob("*.log"))

    @contextmanager
    def case(self, seed: int, revision: str | None = None) -> Iterator[Case]:
        """A case with a copy of the beginning or, with a revision, with such a store alone."""
        with TemporaryDirectory(dir=self._folder) as name:
            project = Path(name, "project")
            url = f"{self._inbox.url}/{Path(name).name}"
            case = Case(str(project), seed, f"{name}/acks", url)
            if revision is None:
                shutil.copytree(self._beginning, project)
                yield case
                return
            self._new_project(project)
            yield replace(case, is_first=True, revision=revision)

    def play(self, case: Case) -> int:
        """The exit code of a process that plays it."""
        with self._nursery() as nursery:
            return nursery.play(case)

    def check(self, case: Case) -> None:
        """Play it to its end and look at what is there then."""
        assert self.play(case) == 0, self.log()
        project = Path(case.project)
        if case.is_first:
            check_schema(project)
            return
        check_answers(project, Path(case.acks))
        check_runs(project)
        check_traces(project)
        box = case.inbox.rpartition("/")[2]
        ticks = query(project, "SELECT run_id FROM run WHERE run_type = 'scheduled'")
        told = [str(body) for path, body in self._inbox.messages if path.endswith(box)]
        assert [run_id for (run_id,) in ticks if not any(run_id in text for text in told)] == []

    def play_traced(self, case: Case, injection: str, *, only: Sequence[Path] = ()) -> bool:
        """Play it under strace, which spoils a system call; whether it came to that.

        `only` names the files whose calls are looked at. Calls are counted in each thread.
        """
        log = Path(case.project).with_name("strace")
        paths = [word for path in only for word in ("-P", str(path))]
        name = injection.partition(":")[0]
        command = ["strace", "-f", "-qq", "-o", str(log), *paths, f"-etrace={name}"]
        subprocess.run(
            [*command, f"-einject={injection}", sys.executable, crash_story.__file__],
            input=json.dumps(asdict(case)) + "\n",
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return bool(re.search(r"\(INJECTED\)|killed by SIGKILL", log.read_text()))

    @contextmanager
    def _nursery(self) -> Iterator[Nursery]:
        nursery = self._nurseries.get()
        try:
            yield nursery
        finally:
            self._nurseries.put(nursery)

    @staticmethod
    def _new_project(folder: Path) -> None:
        folder.mkdir()
        (folder / "dli.yaml").write_text("project: {name: story}\n")


def query(project: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(project / ".dli" / "basecamp.db")) as store:
        return list(store.execute(statement))


def check_answers(project: Path, acks: Path) -> None:
    """Whatever was answered is there, and was answered again in the same words."""
    answers = [json.loads(line) for line in acks.read_text().splitlines()]
    ids: dict[str, set[str]] = {}
    for answer in answers:
        ids.setdefault(answer["step"], set()).add(answer["run_id"])
    assert {step: found for step, found in ids.items() if len(found) > 1} == {}
    stored = {one for (one,) in query(project, "SELECT run_id FROM run")}
    stored |= {one for (one,) in query(project, "SELECT backfill_id FROM backfill")}
    assert {one for found in ids.values() for one in found if one} <= stored


def check_runs(project: Path) -> None:
    """Every run once, at its end, and its rows in the table once."""
    runs = query(project, "SELECT dataset_name, run_type, status, scheduled_for FROM run")
    counts = Counter((name, kind, status) for name, kind, status, _ in runs)
    ticks = [instant for *_, instant in runs if instant is not None]
    assert len(ticks) >= 3
    assert len(set(ticks)) == len(ticks)
    assert counts == {
        (BASE, "adhoc", "COMPLETED"): 1,
        (BASE, "backfill", "COMPLETED"): 3,
        (STOPPED, "adhoc", "KILLED"): 1,
        (TICKS, "scheduled", "COMPLETED"): len(ticks),
    }, counts
    assert query(project, "SELECT status, completed_runs FROM backfill") == [("COMPLETED", 3)]
    with duckdb.connect(str(project / ".dli" / "warehouse" / "local.duckdb")) as warehouse:
        for name, days in ((BASE, 4), (TICKS, len(ticks))):
            found = warehouse.execute(
                f"SELECT count(*), count(DISTINCT ds) FROM {name.removeprefix('local.')}"
            )
            assert found.fetchone() == (days, days)


def check_traces(project: Path) -> None:
    """The audit tells each change once and is whole; files and rows say the same."""
    found = query(project, "SELECT action, count(*) FROM audit GROUP BY 1")
    assert dict(found) == AUDIT
    assert query(project, "PRAGMA integrity_check") == [("ok",)]
    store = Database.at(project / ".dli" / "basecamp.db")
    with store.read() as tx:
        assert audit.walk(tx).broken_id is None
    store.close()
    rows = query(project, "SELECT dataset_name, paused, stored FROM workflow ORDER BY 1")
    assert rows == [(name, 0, 1) for name in sorted((BASE, CODE, STOPPED, TICKS))]
    files = {path.stem for path in (project / ".dli" / "store").rglob("*.yaml")}
    assert files >= {BASE, CODE, STOPPED, TICKS}
    assert NEW not in files


def check_schema(project: Path) -> None:
    """The store is of today and takes what is registered."""
    assert query(project, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    names = query(project, "SELECT dataset_name FROM workflow ORDER BY 1")
    assert names == [(name,) for name in sorted((BASE, STOPPED, TICKS))]
    assert query(project, "PRAGMA integrity_check") == [("ok",)]


def at_once(play: Callable[[Planned], bool], plans: Iterable[Planned]) -> Iterator[bool]:
    """What comes of each, in order; after the first that fails no further one begins."""
    pool = ThreadPoolExecutor(NURSERIES)
    try:
        yield from pool.map(play, plans)
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def opened_ward() -> Iterator[Ward]:
    # A killed process keeps what the system has of its files, so memory is as good as a disk.
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() else None
    with TemporaryDirectory(dir=place) as folder, opened_inbox() as inbox:
        opened = Ward(Path(folder), inbox)
        try:
            yield opened
        finally:
            opened.close()
