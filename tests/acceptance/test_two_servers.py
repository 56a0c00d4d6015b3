"""Two servers on one PostgreSQL: both answer, one schedules, and the other takes over."""

import json
import signal
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from answer import record
from postgres import PostgresServer
from process import Server, wait_for

pytestmark = [pytest.mark.serial, pytest.mark.timeout(300)]

YEARLY = "0 0 1 1 *"
NAMES = [f"local.pair.t{number}" for number in range(6)]


def spec(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "owner": "ana@example.com",
        "team": "reliability",
        "execution": {"dialect": "duckdb"},
        "query_statement": f"CREATE OR REPLACE TABLE {name} AS SELECT sum(i) AS s "
        "FROM range(3000000) r(i)",
    }


class Pair:
    """Two servers of one project and what their database holds."""

    def __init__(self, project: Path, url: str) -> None:
        self.url = url
        env = {
            "BASECAMP_DATABASE_URL": url,
            "BASECAMP_SPEC_STORE_URL": (project / "specs").as_uri(),
        }
        self.first = Server(project, env, state="first")
        self.first.wait_until_ready()
        self.second = Server(project, env, state="second")
        self.second.wait_until_ready()

    def role(self, server: Server) -> str:
        token = (server.state / "token").read_text().strip()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{server.port}/api/v1/health/extended",
            headers={"Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(asked, timeout=5) as answer:
            return str(json.load(answer)["parts"]["scheduler"])

    def leader(self) -> Server:
        def found() -> Server | None:
            roles = {server: self.role(server) for server in (self.first, self.second)}
            leading = [server for server, role in roles.items() if role == "ok"]
            return leading[0] if len(leading) == 1 else None

        return wait_for(found)

    def query(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            answer = connection.execute(text.encode(), values)
            return answer.fetchall() if answer.description else []

    def make_due(self) -> None:
        """Let the latest fire of each schedule be missed."""
        fire = datetime(datetime.now(UTC).year, 1, 1, tzinfo=UTC)
        self.query("UPDATE workflow SET next_fire_at = %s", fire)
        self.query("SELECT pg_notify('basecamp', 'test')")

    def finished(self) -> Counter[tuple[str, str]]:
        rows = self.query("SELECT dataset_name, status FROM run WHERE run_type = 'scheduled'")
        return Counter((name, status) for name, status in rows)

    def kill(self) -> None:
        for server in (self.first, self.second):
            if server.process.poll() is None:
                server.process.send_signal(signal.SIGCONT)
                server.process.kill()
                server.process.wait()


@pytest.fixture
def pair(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Pair]:
    project = tmp_path / "project"
    project.mkdir()
    (project / "dli.yaml").write_text("project: {name: pair}\n")
    servers = Pair(project, postgres_server.create_database(f"pair_{tmp_path.name}"))
    yield servers
    servers.kill()


def register_all(server: Server) -> None:
    client = server.client()
    for name in NAMES:
        answer = client.workflow_register(name, YEARLY, spec=spec(name))
        assert answer.success, answer


def each_ran_once(pair: Pair) -> bool:
    return pair.finished() == {(name, "COMPLETED"): 1 for name in NAMES}


def other(pair: Pair, server: Server) -> Server:
    return pair.second if server is pair.first else pair.first


def test_a_killed_leader_is_followed_and_no_tick_fires_twice(pair: Pair) -> None:
    leading = pair.leader()
    standing_by = other(pair, leading)
    register_all(standing_by)
    pair.make_due()
    wait_for(lambda: pair.finished().total() > 0)  # in the middle of it
    leading.process.kill()
    leading.process.wait()
    wait_for(lambda: pair.role(standing_by) == "ok", within_s=15)
    wait_for(lambda: each_ran_once(pair), within_s=120)
    leading.start()
    leading.wait_until_ready()
    assert pair.role(leading) == "standby"
    assert each_ran_once(pair)


def test_f23_what_a_frozen_leader_still_has_in_hand_is_refused(pair: Pair) -> None:
    leading = pair.leader()
    standing_by = other(pair, leading)
    register_all(standing_by)
    pair.make_due()
    wait_for(lambda: pair.finished().total() > 0)
    leading.process.send_signal(signal.SIGSTOP)
    wait_for(lambda: pair.role(standing_by) == "ok", within_s=30)
    frozen_term = pair.query("SELECT term FROM leader")[0][0] - 1
    assert frozen_term == 1
    leading.process.send_signal(signal.SIGCONT)
    wait_for(lambda: pair.role(leading) == "standby")
    wait_for(lambda: each_ran_once(pair), within_s=120)
    assert pair.role(standing_by) == "ok"


def test_both_servers_take_requests_and_the_leader_runs_them(pair: Pair) -> None:
    leading = pair.leader()
    client = other(pair, leading).client()
    name = NAMES[0]
    assert client.workflow_register(name, YEARLY, spec=spec(name)).success
    started = record(client.workflow_run(name, {}))
    ended = wait_for(
        lambda: next(
            (
                found
                for found in [record(client.workflow_status(started["run_id"], wait=10))]
                if found["status"] == "COMPLETED"
            ),
            None,
        )
    )
    assert ended["status"] == "COMPLETED"
    assert record(leading.client().workflow_status(started["run_id"]))["status"] == "COMPLETED"
    assert record(client.workflow_logs(started["run_id"]))["lines"]


def test_a_run_is_stopped_through_the_server_on_standby(pair: Pair) -> None:
    leading = pair.leader()
    client = other(pair, leading).client()
    slow = spec(NAMES[0]) | {
        "query_statement": f"CREATE OR REPLACE TABLE {NAMES[0]} AS "
        "SELECT sum(a.i * b.i) AS s FROM range(1000000) a(i), range(1000000) b(i)"
    }
    assert client.workflow_register(NAMES[0], YEARLY, spec=slow).success
    run_id = record(client.workflow_run(NAMES[0], {}))["run_id"]
    wait_for(lambda: record(client.workflow_status(run_id))["status"] == "RUNNING")
    assert client.workflow_stop(run_id).success
    assert record(client.workflow_status(run_id))["status"] == "KILLED"
    # The SQL has really ended: its attempt is settled by the leader.
    wait_for(lambda: pair.query("SELECT 1 FROM attempt WHERE run_id = %s", run_id))
