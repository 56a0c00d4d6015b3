"""A server and its worker are killed at random moments while four callers start runs."""

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from caller import Callers
from campaign import Campaign
from kept import Kept
from process import Server, wait_for

DATASETS = [f"local.kill.d{number}" for number in range(4)]
CRASHES_FORGIVEN = 2
# A day that is done again replaces its row, so that an effect which came twice would show.
PRE = [
    {"name": "table", "sql": "CREATE TABLE IF NOT EXISTS {name} (ds DATE, key VARCHAR)"},
    {"name": "clear", "sql": "DELETE FROM {name} WHERE ds = '{{{{ ds }}}}'"},
]


@pytest.fixture
def server(tmp_path: Path, kept: Kept) -> Iterator[Server]:
    project = tmp_path / "project"
    (project / "datasets").mkdir(parents=True)
    (project / "dli.yaml").write_text("project: {name: kill}\n")
    started = Server(project, kept.variables)
    started.wait_until_ready()
    for name in DATASETS:
        answer = started.client().workflow_register(name, "0 0 1 1 *", spec=spec(name))
        assert answer.success, answer
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


def spec(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "owner": "ana@example.com",
        "team": "reliability",
        "execution": {"dialect": "duckdb"},
        "pre_statements": [{**each, "sql": each["sql"].format(name=name)} for each in PRE],
        "query_statement": f"INSERT INTO {name} VALUES ('{{{{ ds }}}}', '{{{{ run_id }}}}')",
    }


@pytest.mark.alone
@pytest.mark.timeout(900)
def test_t1_a_server_that_is_killed_again_and_again_loses_and_doubles_nothing(
    campaign: Campaign, server: Server, kept: Kept
) -> None:
    cycles = campaign.size(ci=60 if kept.url is None else 30, long=1_000)
    with Callers(server, DATASETS, pause_s=0.1) as callers:
        for number in range(cycles):
            before = callers.count
            if number % 4 == 3:
                # Three crashes during one run are its own fault by the rules: kill none so often.
                done = completed(kept)
                wait_for(lambda done=done: completed(kept) > done)  # type: ignore[misc]
                wait_for(lambda: crashes_of_the_worst(kept) < CRASHES_FORGIVEN)
                server.signal_worker(signal.SIGKILL)
                campaign.count("kills of the worker")
            else:
                server.kill_server()
                campaign.count("kills of the server")
            wait_for(lambda before=before: callers.count > before)  # type: ignore[misc]
            threading.Event().wait(campaign.random.uniform(0.0, 0.5))
    campaign.figure(
        "requests taken", callers.count, at_least=campaign.size(ci=5 * cycles, long=10_000)
    )
    campaign.count("tries", callers.tries)
    wait_for(lambda: not unfinished(kept), within_s=180)
    check(campaign, callers, kept)
    assert server.stop() == 0
    doubled = rows_written_twice(server)
    campaign.figure("effects doubled", doubled, limit=0)
    assert kept.is_whole()


def check(campaign: Campaign, callers: Callers, kept: Kept) -> None:
    """What is stored against what was answered."""
    stored = dict(kept.rows("SELECT run_id, dataset_name FROM run"))
    answered = {taken.run_id: name for name, all_ in callers.taken.items() for taken in all_}
    campaign.figure("lost", len(answered.keys() - stored.keys()), limit=0)
    campaign.figure("doubled", len(stored.keys() - answered.keys()), limit=0)
    assert len(answered) == callers.count
    assert {run_id: stored[run_id] for run_id in answered} == answered
    ends = Counter(status for (status,) in kept.rows("SELECT status FROM run"))
    campaign.figure("not completed", ends.total() - ends["COMPLETED"], limit=0)
    audited = kept.rows("SELECT count(*) FROM audit WHERE action = 'run.start'")
    assert audited == [(callers.count,)]


def unfinished(kept: Kept) -> int:
    ((count,),) = kept.rows("SELECT count(*) FROM run WHERE status IN ('PENDING', 'RUNNING')")
    return int(count)


def completed(kept: Kept) -> int:
    ((count,),) = kept.rows("SELECT count(*) FROM run WHERE status = 'COMPLETED'")
    return int(count)


def crashes_of_the_worst(kept: Kept) -> int:
    ((worst,),) = kept.rows("SELECT max(crashes) FROM run WHERE status = 'RUNNING'")
    return int(worst or 0)


def rows_written_twice(server: Server) -> int:
    path = server.project / ".dli" / "warehouse" / "local.duckdb"
    with duckdb.connect(str(path), read_only=True) as warehouse:
        found = [
            warehouse.execute(
                f"SELECT count(*) - count(DISTINCT ds) FROM {name.removeprefix('local.')}"
            ).fetchone()
            for name in DATASETS
        ]
    return sum(row[0] for row in found if row is not None)
