"""Tells one story of requests to a Basecamp in this process; forked, so that it may be killed.

Run as a program it is a nursery: it has imported everything, takes cases as JSON lines on stdin,
forks a child for each and tells how it ended. Runs of the story have their worker forked, too.
"""

import json
import os
import random
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.client import HTTPConnection
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self
from urllib.parse import urlsplit

from alembic import command
from alembic.config import Config

from basecamp import failpoint as failpoints
from basecamp.app import Basecamp
from basecamp.engines.embedded import link, worker
from basecamp.services import notification
from basecamp.services.command import Caller, Idempotency, Reply
from basecamp.settings import Settings
from basecamp.store import run, schema, table
from basecamp.store.database import Database
from dli.courier import Parcel
from dli.exceptions import ServerError
from identity import BOSS
from process import wait_for

__all__ = ["BASE", "CODE", "NEW", "STOPPED", "TICKS", "Case", "Nursery"]

BASE, TICKS, STOPPED, NEW, CODE = (
    f"local.story.{name}" for name in ("base", "ticks", "stopped", "new", "code")
)
_SLOW = "SELECT count(*) FROM range(100000000) a, range(1000) b WHERE (a.range + b.range) % 7 = 3"
_WAIT_S = 60
_TRIES = 5


@dataclass(frozen=True)
class Case:
    """`trap` arms a failpoint; `acks` is the file that answers are written to as they come."""

    project: str
    seed: int
    acks: str
    inbox: str
    trap: str | None = None
    is_first: bool = False
    """Make the state that all other cases begin with."""
    revision: str | None = None
    """With `is_first`: what of the store is there before; "" for nothing."""


def content(name: str, sql: str | None = None) -> dict[str, Any]:
    own: dict[str, Any] = {
        "name": name,
        "owner": "ana@example.com",
        "team": "reliability",
        "execution": {"dialect": "duckdb"},
        "query_statement": sql
        or f"INSERT INTO {name} SELECT '{{{{ ds }}}}', '{{{{ data_interval_start }}}}'",
    }
    if sql is None:
        own["pre_statements"] = [
            {
                "name": "table",
                "sql": f"CREATE TABLE IF NOT EXISTS {name} (ds DATE, begin_at TIMESTAMP)",
            },
            {
                "name": "clear",
                "sql": f"DELETE FROM {name} WHERE begin_at = '{{{{ data_interval_start }}}}'",
            },
        ]
    return own


class Story:
    """What one caller asks for, each with a key of its own, in an order that the seed gives."""

    def __init__(self, basecamp: Basecamp, case: Case) -> None:
        self._site = basecamp.site
        self._acks = Path(case.acks)
        whole = [
            [("register", self._register), ("unregister", self._unregister)],
            [("run", self._run), ("run", self._run)],
            [("backfill", self._backfill)],
            [("start", self._start), ("stop", self._stop)],
            [("pause", self._pause), ("unpause", self._unpause)],
            [("publish", self._publish)],
        ]
        self._steps = _shuffled(whole, random.Random(case.seed))
        self._ids: dict[str, str] = {}

    def tell(self) -> None:
        for name, step in self._steps:
            body = _taken(step, self._caller(name)).body
            self._ids[name] = body.get("run_id", "")
            with self._acks.open("a", encoding="utf-8") as acks:
                acks.write(json.dumps({"step": name, "run_id": body.get("run_id", "")}) + "\n")

    def _caller(self, key: str) -> Caller:
        body = sha256(key.encode()).hexdigest()
        return Caller(BOSS, None, Idempotency(f"key-{key}", "POST", f"/story/{key}", body))

    def _register(self, caller: Caller) -> Reply:
        name = NEW
        return self._site.workflows.register(
            caller, dataset_name=name, cron="0 6 1 1 *", spec=content(name)
        )

    def _unregister(self, caller: Caller) -> Reply:
        return self._site.workflows.unregister(caller, NEW)

    def _run(self, caller: Caller) -> Reply:
        given = {"execution_date": "2020-02-02"}
        return self._site.runs.start(caller, BASE, parameters=given)

    def _start(self, caller: Caller) -> Reply:
        return self._site.runs.start(caller, STOPPED, parameters={})

    def _stop(self, caller: Caller) -> Reply:
        return self._site.runs.stop(caller, self._ids["start"])

    def _backfill(self, caller: Caller) -> Reply:
        return self._site.backfills.start(
            caller, BASE, start_date="2020-03-01", end_date="2020-03-03", parameters={}
        )

    def _pause(self, caller: Caller) -> Reply:
        return self._site.workflows.pause(caller, BASE)

    def _unpause(self, caller: Caller) -> Reply:
        return self._site.workflows.unpause(caller, BASE)

    def _publish(self, caller: Caller) -> Reply:
        return self._site.publishing.publish(caller, specs=[content(CODE)])


Step = tuple[str, Callable[[Caller], Reply]]


def _taken(step: Callable[[Caller], Reply], caller: Caller) -> Reply:
    """The answer; what failed for a reason that passes (503) is asked again, as clients do."""
    for _ in range(_TRIES):
        try:
            return step(caller)
        except ServerError as failed:
            sys.stderr.write(f"{failed}\n")
    return step(caller)


def _shuffled(strands: Sequence[Sequence[Step]], dice: random.Random) -> list[Step]:
    """The steps of all strands, each strand in its order."""
    which = [number for number, strand in enumerate(strands) for _ in strand]
    dice.shuffle(which)
    taken = [iter(strand) for strand in strands]
    return [next(taken[number]) for number in which]


class ForkedProcess:
    """The worker as a fork of this process; stands in for `subprocess.Popen`."""

    def __init__(self, command: Sequence[str], *, pass_fds: Sequence[int], **_: object) -> None:
        self.returncode: int | None = None
        self._lock = threading.Lock()
        self.pid = os.fork()
        if self.pid == 0:
            self._work(command, pass_fds[0])

    def _work(self, command: Sequence[str], line: int) -> None:
        try:
            os.setsid()
            kept = os.dup2(line, 3)
            os.closerange(kept + 1, 256)  # the lock of the state directory among them
            worker.main([str(kept), *command[4:]])
        finally:
            os._exit(1)

    def wait(self, timeout: float | None = None) -> int:
        del timeout  # it ends when its line does
        with self._lock:
            if self.returncode is None:
                _, status = os.waitpid(self.pid, 0)
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


class Carrier:
    """Brings messages to the inbox; stands in for `Courier`, which starts a process for that."""

    def __init__(self, _: object) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def carry(self, parcel: Parcel) -> str | None:
        at = urlsplit(parcel["url"])
        connection = HTTPConnection(at.netloc, timeout=10)
        try:
            connection.request("POST", at.path, json.dumps(parcel))
            return None if connection.getresponse().status == 200 else "it was not taken"
        except OSError as exc:
            return str(exc)
        finally:
            connection.close()


def play(case: Case) -> None:
    """The whole story; afterwards nothing is left to do."""
    project = Path(case.project)
    failpoints._trap = None if case.trap is None else failpoints._Trap(case.trap)
    forked = SimpleNamespace(
        Popen=ForkedProcess, DEVNULL=subprocess.DEVNULL, TimeoutExpired=subprocess.TimeoutExpired
    )
    link.subprocess = forked  # type: ignore[assignment, attr-defined]
    notification.Courier = Carrier  # type: ignore[assignment, attr-defined]
    notification._FIRST_PAUSE = timedelta(milliseconds=200)
    notify = {"DLI_NOTIFY_INBOX": case.inbox}
    settings = Settings(project=project, state_dir=project / ".dli", notify=notify)
    if case.is_first:
        if case.revision is not None:
            _leave(settings.state_dir / "basecamp.db", case.revision)
        prepare(settings)
        return
    with Basecamp(settings) as basecamp:
        basecamp.start()
        Story(basecamp, case).tell()
        wait_for(lambda: not _unfinished(basecamp), within_s=_WAIT_S)
        wait_for(lambda: not _messages(basecamp), within_s=_WAIT_S)


def _unfinished(basecamp: Basecamp) -> bool:
    now = datetime.now(UTC)
    with basecamp.database.read() as tx:
        due = tx.execute(table.workflow.select().where(table.workflow.c.next_fire_at <= now))
        left = tx.execute(table.run.select().where(table.run.c.status.in_(run.UNFINISHED)))
        return due.first() is not None or left.first() is not None


def _messages(basecamp: Basecamp) -> bool:
    with basecamp.database.read() as tx:
        return tx.execute(table.message.select()).first() is not None


def prepare(settings: Settings) -> None:
    """Workflows to begin with; one of them has three fires to catch up, and messages to send."""
    with Basecamp(settings) as basecamp:
        basecamp.start()
        register = basecamp.site.workflows.register
        for name, cron, sql in (
            (BASE, "0 0 * * *", None),
            (STOPPED, "0 0 1 1 *", _SLOW),
            (TICKS, "0 0 1 * *", None),
        ):
            spec = content(name, sql)
            if name == TICKS:
                told = {"on_success": [{"type": "inbox", "channel": "all"}]}
                spec["schedule"] = {"cron": cron, "catchup": True, "notifications": told}
            register(Caller(BOSS), dataset_name=name, cron=cron, spec=spec, force=True)
    database = Database.at(settings.state_dir / "basecamp.db")
    missed = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(2):
        missed = (missed - timedelta(days=1)).replace(day=1)
    with database.transaction() as tx:
        chosen = table.workflow.c.dataset_name == TICKS
        tx.execute(table.workflow.update().where(chosen).values(next_fire_at=missed))
    database.close()


def _leave(path: Path, revision: str) -> None:
    """A store as an earlier release made it, unless there is one already."""
    if path.exists() or not revision:
        return
    path.parent.mkdir(mode=0o700)
    database = Database.at(path)
    with database.engine.begin() as connection:
        config = Config()
        place = Path(schema.__file__).parent / "migrations"
        config.set_main_option("script_location", str(place))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    database.close()


class Nursery:
    """The program below, at the other end of two pipes."""

    def __init__(self, log: Path) -> None:
        places = {"PYTHONPATH": str(Path(__file__).parent)}
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=os.environ | places,
            )

    def play(self, case: Case) -> int:
        """The exit code of the child; minus the number of the signal that ended it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(case)) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def nursery() -> None:
    """One child for each line; its exit status is the answer."""
    for name in ("duckdb", "sqlglot", "minijinja"):
        import_module(name)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.setsid()
                play(Case(**json.loads(line)))
                code = 0
            except BaseException:  # noqa: BLE001 - told to who reads the log
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    nursery()
