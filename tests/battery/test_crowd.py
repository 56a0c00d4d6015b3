"""Many who trigger at once: each is answered once and soon, or told to come again."""

import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from campaign import Campaign
from crowd import Ask, Told, asked_by, percentile, served_by, spec
from kept import Kept
from postgres import PostgresServer
from process import Server, wait_for

pytestmark = pytest.mark.alone

DATASETS = [f"local.crowd.t{number:02}" for number in range(50)]
YEARLY = "0 0 1 1 *"


def prepared(folder: Path) -> Path:
    project = folder / "project"
    project.mkdir(parents=True)
    (project / "dli.yaml").write_text("project: {name: crowd}\n")
    return project


def register(server: Server) -> None:
    client = server.client(60)
    for name in DATASETS:
        answer = client.workflow_register(name, YEARLY, spec=spec(name))
        assert answer.success, answer


def end(server: Server) -> None:
    if server.process.poll() is None:
        server.process.kill()
        server.process.wait()


def trigger(name: str, key: str) -> Ask:
    return Ask("POST", f"/workflows/{name}/run", b"{}", key)


def triggers(clients: int, each: int) -> list[list[Ask]]:
    """For each client, with keys that nobody else has."""
    salt = secrets.token_hex(4)
    return [
        [trigger(DATASETS[(one + n) % len(DATASETS)], f"{salt}-{one}-{n}") for n in range(each)]
        for one in range(clients)
    ]


def ids(told: list[list[Told]]) -> list[str]:
    return [str(one.record["run_id"]) for line in told for one in line if one.status == 202]


def statuses(told: list[list[Told]]) -> Counter[int]:
    return Counter(one.status for line in told for one in line)


def not_understood(told: list[list[Told]]) -> list[Told]:
    return [one for line in told for one in line if one.status != 202 and not one.is_put_off]


@pytest.fixture
def server(tmp_path: Path, kept: Kept) -> Iterator[Server]:
    started = Server(prepared(tmp_path), kept.variables)
    started.wait_until_ready()
    register(started)
    yield started
    end(started)


def test_g7_fifty_who_trigger_at_once_are_answered_in_time(
    campaign: Campaign, server: Server
) -> None:
    address = served_by(server)
    asked_by([(address, asks) for asks in triggers(50, 4)])
    told = asked_by([(address, asks) for asks in triggers(50, campaign.size(ci=20, long=400))])
    assert not_understood(told) == []
    times_ms = [one.seconds * 1000 for line in told for one in line]
    campaign.count("triggers", len(times_ms))
    campaign.figure("median", percentile(times_ms, 0.5), "ms")
    # On PostgreSQL the goal of 200 ms is not reached each time, docs/reliability.md says so: this
    # keeps what there is.
    campaign.figure("p99, to become 200", percentile(times_ms, 0.99), "ms", limit=1_000)


def test_g7_a_thousand_who_trigger_at_once_are_answered_or_told_to_come_again(
    campaign: Campaign, server: Server, kept: Kept
) -> None:
    lines = triggers(1_000, campaign.size(ci=1, long=10))
    told = asked_by([(served_by(server), asks) for asks in lines])
    assert not_understood(told) == []
    found = ids(told)
    assert len(set(found)) == len(found) == sum(map(len, lines))
    assert set(found) == {run_id for (run_id,) in kept.rows("SELECT run_id FROM run")}
    counts = statuses(told)
    campaign.count("triggers", len(found))
    campaign.count("told to come again", counts[503] + counts[429])
    times = [one.seconds for line in told for one in line]
    campaign.figure("p99 of all answers", percentile(times, 0.99), "s", limit=3)


class Pair:
    """Two servers on one PostgreSQL, and what it holds."""

    def __init__(self, project: Path, url: str) -> None:
        self.url = url
        env = {
            "BASECAMP_DATABASE_URL": url,
            "BASECAMP_SPEC_STORE_URL": (project / "specs").as_uri(),
        }
        self.servers = [Server(project, env, state=name) for name in ("first", "second")]
        for server in self.servers:
            server.wait_until_ready()

    def query(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            answer = connection.execute(text.encode(), values)
            return answer.fetchall() if answer.description else []

    def make_due(self) -> None:
        """Let the latest fire of each schedule be missed."""
        fire = datetime(datetime.now(UTC).year, 1, 1, tzinfo=UTC)
        self.query("UPDATE workflow SET next_fire_at = %s", fire)
        self.query("SELECT pg_notify('basecamp', 'test')")

    def scheduled(self) -> Counter[str]:
        rows = self.query("SELECT dataset_name FROM run WHERE run_type = 'scheduled'")
        return Counter(name for (name,) in rows)


@pytest.fixture
def pair(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Pair]:
    url = postgres_server.create_database(f"crowd_{secrets.token_hex(4)}")
    opened = Pair(prepared(tmp_path), url)
    register(opened.servers[0])
    yield opened
    for server in opened.servers:
        end(server)


def test_t9_a_thousand_at_two_servers_get_one_run_for_one_key_and_instant(
    campaign: Campaign, pair: Pair
) -> None:
    addresses = [served_by(server) for server in pair.servers]
    clients = campaign.size(ci=1_000, long=10_000) // 2
    spread = [addresses[number % 2] for number in range(min(clients, 1_000))]

    one = trigger(DATASETS[0], secrets.token_hex(8))
    same = asked_by([(address, [one] * (clients // len(spread))) for address in spread])
    assert not_understood(same) == []
    assert len(set(ids(same))) == 1
    assert pair.query("SELECT count(*) FROM run") == [(1,)]
    campaign.count("triggers with the same key", len(ids(same)))

    pair.make_due()
    lines = triggers(len(spread), clients // len(spread))
    distinct = asked_by(list(zip(spread, lines, strict=True)))
    assert not_understood(distinct) == []
    found = ids(distinct)
    assert len(set(found)) == len(found) == sum(map(len, lines))
    stored = {run_id for (run_id,) in pair.query("SELECT run_id FROM run")}
    assert set(found) <= stored
    campaign.count("triggers with keys of their own", len(found))

    wait_for(lambda: pair.scheduled().keys() == set(DATASETS))
    assert set(pair.scheduled().values()) == {1}
    assert len(stored | set(found)) <= 1 + len(found) + len(DATASETS)
    campaign.count("schedules due at one instant", len(DATASETS))
    campaign.count("told to come again", statuses(same)[503] + statuses(distinct)[503])
    times = [told.seconds for line in [*same, *distinct] for told in line]
    campaign.figure("p99 of all answers", percentile(times, 0.99), "s", limit=3)
