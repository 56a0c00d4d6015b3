"""Any order of requests, ticks, jumps of the clock and crashes leaves what the rules say."""

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings, stateful
from hypothesis import strategies as st
from sqlalchemy import text

from basecamp.engines.base import CheckResult
from basecamp.engines.embedded import dispatch, scheduler
from basecamp.engines.embedded.dispatch import Execution, Plan, Report
from basecamp.services.backfill import BackfillService
from basecamp.services.command import Caller, Idempotency
from basecamp.services.permission import local_actor
from basecamp.services.run import RunService
from basecamp.services.workflow import WorkflowService
from basecamp.store import audit, schema, table, tally
from basecamp.store.database import Database
from campaign import Campaign
from dli.exceptions import DLIError, ErrorCode
from world import CRONS, OPEN, Run, World

NAMES = [f"shop.sales.t{number}" for number in range(5)]
SLOTS = 3
STEPS = 50
START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
name_of = st.sampled_from(NAMES)


class Silent:
    """An engine that runs nothing; its part is played by the steps."""

    can_hold: ClassVar = False

    def wake(self) -> None: ...

    def admit(self, _name: str) -> None: ...

    def prepare_stop(self) -> None: ...

    def put_in_force(self, _names: object) -> None: ...

    def interrupt(self, _run_ids: object) -> None: ...

    def check(self, _spec: object, *, bind: bool) -> CheckResult:
        return CheckResult(ok=True)


class NoFiles:
    """Takes the files of MANUAL workflows and forgets them."""

    def put_manual(self, name: str, content: dict[str, Any]) -> None: ...

    def remove_manual(self, name: str) -> None: ...


@dataclass
class HandClock:
    instant: datetime = START

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return 0.0


class Camp:
    """One server, or two of them, on a store."""

    def __init__(self, databases: list[Database]) -> None:
        self.databases = databases
        self.cost = 8 if databases[0].is_shared else 1
        """How much longer a step takes than on SQLite."""
        self.clock = HandClock()
        engine: Any = Silent()
        files: Any = NoFiles()
        self.runs = [RunService(one, engine, self.clock) for one in databases]
        self.workflows = [WorkflowService(one, engine, files, self.clock) for one in databases]
        self.backfills = [BackfillService(one, engine, self.clock) for one in databases]

    def empty(self) -> None:
        self.clock.instant = START
        with self.databases[0].transaction() as tx:
            for name in table.metadata.tables:
                tx.execute(text(f"DELETE FROM {name}"))

    def rows(self, statement: str) -> list[Any]:
        with self.databases[0].read() as tx:
            return list(tx.execute(text(statement)))


def caller(key: str, path: str) -> Caller:
    return Caller(local_actor("ana"), idempotency=Idempotency(key, "POST", path, "body"))


@dataclass
class Given:
    """What a machine is made of; hypothesis makes many of them."""

    camp: Camp
    campaign: Campaign
    executions: dict[str, Execution] = field(default_factory=dict)


class Machine(stateful.RuleBasedStateMachine):
    """Does each thing to the server and to the world, and compares."""

    given: Given

    def __init__(self) -> None:
        super().__init__()
        self.camp, self.executions = self.given.camp, dict[str, Execution]()
        self.camp.empty()
        self.world = World(START)
        self.turn = 0
        self.is_sound = True

    def step(self) -> int:
        """Counts a step; which of the servers it is asked of."""
        self.given.campaign.count("steps")
        self.turn += 1
        self.is_sound = False
        return self.turn % len(self.camp.databases)

    def asks(self, key: str, path: str) -> Caller:
        self.world.changes += 1
        return caller(key, path)

    def is_refused(self, code: ErrorCode, ask: Any) -> None:
        with pytest.raises(DLIError) as raised:
            ask()
        assert raised.value.code is code
        self.world.changes -= 1

    @stateful.rule(
        name=name_of, cron=st.sampled_from(list(CRONS)), catchup=st.booleans(), on=st.booleans()
    )
    def register(self, name: str, cron: str, catchup: bool, on: bool) -> None:
        service = self.camp.workflows[self.step()]
        content = {
            "name": name,
            "owner": "ana@example.com",
            "team": "sales",
            "query_statement": "SELECT 1",
            "schedule": {"cron": cron, "timezone": "UTC", "catchup": catchup},
        }
        service.register(
            self.asks(secrets.token_hex(8), "/register"),
            dataset_name=name,
            cron=cron,
            enabled=on,
            force=True,
            spec=content,
        )
        self.world.put(name, cron, catchup=catchup, paused=not on)

    @stateful.rule(name=name_of)
    def unregister(self, name: str) -> None:
        service, who = self.camp.workflows[self.step()], self.asks(secrets.token_hex(8), name)
        if name not in self.world.flows:
            self.is_refused(ErrorCode.WORKFLOW_NOT_FOUND, lambda: service.unregister(who, name))
            return
        service.unregister(who, name)
        self.world.remove(name)

    @stateful.rule(name=name_of, paused=st.booleans())
    def pause(self, name: str, paused: bool) -> None:
        service, who = self.camp.workflows[self.step()], self.asks(secrets.token_hex(8), name)
        ask = service.pause if paused else service.unpause
        flow = self.world.flows.get(name)
        if flow is None:
            self.is_refused(ErrorCode.WORKFLOW_NOT_FOUND, lambda: ask(who, name))
        elif flow.paused == paused:
            self.is_refused(ErrorCode.WORKFLOW_INVALID_STATE, lambda: ask(who, name))
        else:
            ask(who, name)
            self.world.set_paused(name, paused=paused)

    @stateful.rule(name=name_of)
    def trigger(self, name: str) -> None:
        service, key = self.camp.runs[self.step()], secrets.token_hex(8)
        who = self.asks(key, name)
        if name not in self.world.flows:
            ask = lambda: service.start(who, name, parameters={})  # noqa: E731
            self.is_refused(ErrorCode.WORKFLOW_NOT_FOUND, ask)
            return
        run_id = service.start(who, name, parameters={}).body["run_id"]
        assert run_id not in self.world.runs
        self.world.runs[run_id] = Run(run_id, name)
        self.world.keys[name, key] = run_id

    @stateful.precondition(lambda self: self.world.keys)
    @stateful.rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        (name, key), run_id = data.draw(st.sampled_from(list(self.world.keys.items())))
        reply = self.camp.runs[self.step()].start(caller(key, name), name, parameters={})
        assert (reply.replayed, reply.body["run_id"]) == (True, run_id)

    @stateful.rule(name=name_of, ago=st.integers(1, 30), days=st.integers(1, 2))
    def backfill(self, name: str, ago: int, days: int) -> None:
        service, who = self.camp.backfills[self.step()], self.asks(secrets.token_hex(8), name)
        first = (self.world.now - timedelta(days=ago)).date()
        last = first + timedelta(days=days - 1)
        dates: dict[str, Any] = {"start_date": str(first), "end_date": str(last), "parameters": {}}
        if name not in self.world.flows:
            ask = lambda: service.start(who, name, **dates)  # noqa: E731
            self.is_refused(ErrorCode.WORKFLOW_NOT_FOUND, ask)
            return
        reply = service.start(who, name, **dates).body
        found = [entry["run_id"] for entry in reply["runs"]]
        assert len(found) == days * 1440 // CRONS[self.world.flows[name].cron]
        for run_id in found:
            self.world.runs[run_id] = Run(run_id, name, backfill_id=reply["run_id"])

    @stateful.precondition(lambda self: self.world.runs)
    @stateful.rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        run_id = data.draw(st.sampled_from(list(self.world.runs)))
        service, who = self.camp.runs[self.step()], self.asks(secrets.token_hex(8), run_id)
        if self.world.runs[run_id].status not in OPEN:
            ask = lambda: service.stop(who, run_id)  # noqa: E731
            self.is_refused(ErrorCode.WORKFLOW_INVALID_STATE, ask)
            return
        service.stop(who, run_id)
        self.world.end(run_id, "KILLED")

    @stateful.rule(minutes=st.one_of(st.integers(0, 90), st.integers(-90, 3_000)))
    def pass_time(self, minutes: int) -> None:
        self.step()
        self.world.now += timedelta(minutes=minutes)
        self.camp.clock.instant = self.world.now

    @stateful.rule()
    def tick(self) -> None:
        database = self.camp.databases[self.step()]
        with database.transaction() as tx:
            queued = scheduler.tick_all(tx, self.world.now)
        expected = self.world.ticks()
        starts = Counter[tuple[str, datetime]]()
        with database.read() as tx:
            for run_id in queued:
                where = table.run.c.run_id == run_id
                row = tx.execute(table.run.select().where(where)).one()
                starts[row.dataset_name, row.interval_start] += 1
                self.world.runs[run_id] = Run(run_id, row.dataset_name)
        assert starts == expected

    @stateful.rule()
    def hand_out(self) -> None:
        database, plan = self.camp.databases[self.step()], Plan()
        busy = set(self.world.executing.values())
        with database.transaction() as tx:
            dispatch.claim(tx, self.world.now, busy, SLOTS - len(busy), plan)
            plan.counts.write(tx)
        started = {execution.run_id: execution for execution, _ in plan.started}
        assert list(started) == self.world.claimed(SLOTS - len(busy))
        self.executions |= started

    @stateful.precondition(lambda self: self.world.executing)
    @stateful.rule(data=st.data(), ok=st.booleans())
    def report(self, data: st.DataObject, ok: bool) -> None:
        run_id = data.draw(st.sampled_from(list(self.world.executing)))
        database, plan = self.camp.databases[self.step()], Plan()
        execution = self.executions.pop(run_id)
        report = Report(run_id, execution.claim, ok=ok, code=None if ok else "DLI-401")
        with database.transaction() as tx:
            dispatch.settle(tx, execution, report, self.world.now, plan)
            plan.counts.write(tx)
        self.world.report(run_id, "COMPLETED" if ok else "FAILED")

    @stateful.rule()
    def crash(self) -> None:
        """The leader goes with all that it had in hand, and another one takes over."""
        database = self.camp.databases[self.step()]
        with suppress(KeyError), database.transaction() as tx:
            tx.execute(table.run.delete())
            raise KeyError  # what it was about to store
        with database.transaction() as tx:
            dispatch.adopt(tx, self.world.now)
        self.executions.clear()
        self.world.crash()

    @stateful.invariant()
    def runs_are_as_told(self) -> None:
        found = self.camp.rows("SELECT run_id, status FROM run")
        assert dict(map(tuple, found)) == {r.run_id: r.status for r in self.world.runs.values()}
        self.is_sound = True

    def teardown(self) -> None:
        if not self.is_sound:
            return  # that is told already
        with self.camp.databases[0].read() as tx:
            chain = audit.walk(tx)
            counted = tally.by_status(tx)
        assert chain.broken_id is None
        assert chain.rows == self.world.changes
        by_status = Counter[str]()
        for (status, _kind), number in counted.items():
            by_status[status] += number
        assert +by_status == Counter(run.status for run in self.world.runs.values())
        skipped = self.camp.rows("SELECT dataset_name, count FROM skipped_tick")
        totals = Counter[str]()
        for name, number in skipped:
            totals[name] += number
        assert totals == +self.world.skipped
        self.given.campaign.count("worlds")
        self.given.campaign.count("runs", len(self.world.runs))


@pytest.fixture(params=["sqlite", "postgresql"])
def camp(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Camp]:
    if request.param == "sqlite":
        databases = [Database.at(tmp_path / "basecamp.db")]
    else:
        server = request.getfixturevalue("postgres_server")
        url = server.create_database(f"world_{secrets.token_hex(4)}")
        databases = [Database(url), Database(url)]
    schema.prepare(databases[0].engine)
    yield Camp(databases)
    for database in databases:
        database.close()


def test_t6_any_order_of_events_leaves_what_the_rules_say(campaign: Campaign, camp: Camp) -> None:
    class Seeded(Machine):
        given = Given(camp, campaign)

    settled = settings(
        max_examples=campaign.size(ci=400, long=20_000) // camp.cost,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    stateful.run_state_machine_as_test(seed(campaign.seed)(Seeded), settings=settled)
