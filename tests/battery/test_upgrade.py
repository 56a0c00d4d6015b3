"""Today's server takes over the work of a server of each earlier schema that was killed amid it."""

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import text

import released
from answer import record, refusal
from basecamp.store import schema, table
from basecamp.store.database import Database
from campaign import Campaign
from kept import Kept
from process import Server, wait_for

# What was asked for with a key while the earlier server ran: its keys, paths and bodies.
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "asked-before-the-upgrade": ("local.old.manual/run", {"parameters": {}}),
    "runs-during-the-upgrade": (
        "local.old.manual/run",
        {"parameters": {"execution_date": "2026-03-01"}},
    ),
    "waits-during-the-upgrade": (
        "local.old.manual/run",
        {"parameters": {"execution_date": "2026-03-02"}},
    ),
    "a-backfill-amid-the-upgrade": (
        "local.old.busy/backfill",
        {"start_date": "2026-02-01", "end_date": "2026-02-04"},
    ),
}
FIRST_TICK = datetime(2026, 11, 8, 15, tzinfo=UTC)
KEYS = "SELECT run_id, dataset_name, scheduled_for, interval_start, parameters FROM run"


def opened(kept: Kept, folder: Path) -> Database:
    state = folder / "project" / ".dli"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Database(kept.url) if kept.url else Database.at(state / "basecamp.db")


@pytest.fixture(params=released.RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(release: str, tmp_path: Path, kept: Kept) -> Iterator[Server]:
    """Today's on what the server of this release left."""
    project = tmp_path / "project"
    (project / "datasets").mkdir(parents=True)
    (project / "dli.yaml").write_text("project: {name: upgrade}\n")
    store = opened(kept, tmp_path)
    released.fill(store, release, tmp_path)
    store.close()
    released.write_specs(release, project / ".dli" / "store")
    # As if the requests were of today, and the clock of the schedule had been set back.
    with store.engine.begin() as tx:
        for change, instant in (
            ("UPDATE idempotency SET created_at = :at", datetime.now(UTC)),
            ("UPDATE workflow SET next_fire_at = :at WHERE catchup", FIRST_TICK),
        ):
            at = instant if kept.url else instant.isoformat(timespec="microseconds")
            tx.execute(text(change), {"at": at})
    store.close()
    started = Server(project, kept.variables)
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


def keys(kept: Kept) -> dict[str, tuple[Any, ...]]:
    return {row[0]: tuple(row) for row in kept.rows(KEYS)}


def test_t17_work_of_an_earlier_release_goes_on_and_nothing_is_doubled(
    campaign: Campaign, server: Server, kept: Kept
) -> None:
    before = keys(kept)
    states = dict(kept.rows("SELECT run_id, status FROM run"))
    server.wait_until_ready()
    client = server.client()
    open_before = [name for name, status in states.items() if status in {"PENDING", "RUNNING"}]
    assert Counter(states.values())["RUNNING"] == 3
    for run_id in open_before:
        wait_for(lambda one=run_id: record(client.workflow_status(one))["status"] == "COMPLETED")  # type: ignore[misc]
        campaign.count("open runs taken over")
    for key, (path, body) in ASKED.items():
        answer, is_replayed = asked(server, path, body, key)
        assert is_replayed, key
        assert answer["run_id"] in before or answer["run_id"].startswith("backfill-")
        campaign.count("requests repeated")
    # The ticks that had run are due again; once a later one is there they have been passed.
    wait_for(lambda: next_tick(kept) > FIRST_TICK + timedelta(weeks=2))
    after = keys(kept)
    assert {name: after[name] for name in before} == before
    fired = Counter((name, at) for _, name, at, *_ in after.values() if at is not None)
    assert set(fired.values()) == {1}
    for run_id, status in states.items():
        if run_id not in open_before:
            assert record(client.workflow_status(run_id))["status"] == status
    paused = record(client.workflow_get("local.old.paused"))
    assert paused["status"] == "paused"
    assert not [row for row in after.values() if row[1] == "local.old.paused"]
    assert record(client.workflow_unpause("local.old.paused"))["status"] == "active"
    assert record(client.workflow_get("local.old.both"))["source_type"] == "code"
    assert "CODE stays in force" in record(client.workflow_unregister("local.old.both"))["message"]
    assert refusal(client.workflow_unregister("local.old.both")) == (403, "DLI-803")
    assert server.stop() == 0
    written = runs_written(server, sorted({before[name][1] for name in open_before}))
    assert [name for name in open_before if written[name] != 1] == []
    assert set(written.values()) == {1}


def next_tick(kept: Kept) -> datetime:
    ((found,),) = kept.rows("SELECT next_fire_at FROM workflow WHERE catchup")
    return found if isinstance(found, datetime) else datetime.fromisoformat(found)


def asked(server: Server, path: str, body: dict[str, Any], key: str) -> tuple[dict[str, Any], bool]:
    token = (server.state / "token").read_text().strip()
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/api/v1/workflows/{path}",
        json.dumps(body).encode(),
        {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        },
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer), answer.headers.get("Idempotency-Replayed") == "true"


def runs_written(server: Server, names: list[str]) -> Counter[str]:
    """How often each run has written its row."""
    found: Counter[str] = Counter()
    with duckdb.connect(str(server.state / "warehouse" / "local.duckdb"), read_only=True) as held:
        for name in names:
            written = held.execute(f"SELECT run_id FROM {name.removeprefix('local.')}").fetchall()
            found.update(run_id for (run_id,) in written)
    return found


_KILLING = """
import os, sys
import alembic.command, alembic.config, sqlalchemy.dialects.postgresql
from sqlalchemy import event
from basecamp.store import schema
from basecamp.store.database import Database

for line in sys.stdin:
    url, number = line.split()
    pid = os.fork()
    if pid == 0:
        opened, left = Database(url), [int(number)]
        @event.listens_for(opened.engine, "after_cursor_execute")
        def killed(*_):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), 9)
        schema.prepare(opened.engine)
        os._exit(0)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


@pytest.fixture
def killer() -> Iterator[subprocess.Popen[str]]:
    """Prepares a store and dies after the statement of that number; answers how it ended."""
    command = [sys.executable, "-c", _KILLING]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as started:
        yield started


@pytest.mark.parametrize("release", [name for name in released.RELEASES if name < table.HEAD])
def test_t17_a_migration_killed_at_any_statement_changes_nothing(
    campaign: Campaign, kept: Kept, release: str, tmp_path: Path, killer: subprocess.Popen[str]
) -> None:
    assert killer.stdin
    assert killer.stdout
    store = opened(kept, tmp_path)
    released.fill(store, release, tmp_path)
    before = stored(store)
    # Each statement in the long run; for each push every seventh, another each time.
    step = campaign.size(ci=7, long=1)
    number = campaign.random.randrange(step) + 1
    while True:
        killer.stdin.write(f"{store.url} {number}\n")
        killer.stdin.flush()
        if int(killer.stdout.readline()) == 0:
            break
        assert stored(store) == before, f"killed after statement {number}"
        campaign.count("kills")
        number += step
    with store.read() as tx:
        assert tx.execute(text("SELECT version_num FROM alembic_version")).scalar() == table.HEAD
    schema.prepare(store.engine)
    store.close()


def stored(store: Database) -> released.Rows:
    try:
        with store.read() as tx:
            return released.rows(tx)
    finally:
        store.close()
