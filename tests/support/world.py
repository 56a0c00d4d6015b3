"""What state a server is to be in, by the rules alone: plain arithmetic on whole minutes in UTC."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

__all__ = ["CRONS", "Flow", "Run", "World"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CRONS = {"0 * * * *": 60, "0 */6 * * *": 360, "0 0 * * *": 1440}
"""Crons and the minutes between two of their fires."""
MOST_AT_ONCE = 200
OPEN = ("PENDING", "RUNNING")


@dataclass
class Flow:
    """A workflow; `due` is its next fire, None while it is paused."""

    cron: str
    catchup: bool
    paused: bool
    due: datetime | None

    @property
    def period(self) -> timedelta:
        return timedelta(minutes=CRONS[self.cron])

    def following(self, at: datetime) -> datetime:
        return EPOCH + ((at - EPOCH) // self.period + 1) * self.period


@dataclass
class Run:
    """A run; `retry_at` when it was interrupted and waits to be done again."""

    run_id: str
    name: str
    status: str = "PENDING"
    backfill_id: str | None = None
    retry_at: datetime | None = None


@dataclass
class World:
    """All that the rules say there is."""

    now: datetime
    flows: dict[str, Flow] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    """In the order in which they were queued."""
    executing: dict[str, str] = field(default_factory=dict)
    """Names of datasets whose SQL runs, by run."""
    fired: set[tuple[str, datetime]] = field(default_factory=set)
    skipped: Counter[str] = field(default_factory=Counter)
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    changes: int = 0

    def put(self, name: str, cron: str, *, catchup: bool, paused: bool) -> None:
        old = self.flows.get(name)
        new = Flow(cron, catchup, paused, None)
        if old is not None and (old.cron, old.paused) == (cron, paused):
            new.due = old.due
        elif not paused:
            new.due = new.following(self.now)
        self.flows[name] = new

    def set_paused(self, name: str, *, paused: bool) -> None:
        flow = self.flows[name]
        flow.paused = paused
        flow.due = None if paused else flow.following(self.now)

    def remove(self, name: str) -> None:
        del self.flows[name]
        for run in self.runs.values():
            if run.name == name and run.status == "PENDING":
                run.status = "KILLED"

    def ticks(self) -> Counter[tuple[str, datetime]]:
        """Runs that are to be queued now, by dataset and start of their interval."""
        found: Counter[tuple[str, datetime]] = Counter()
        for name, flow in self.flows.items():
            if flow.due is None or flow.due > self.now:
                continue
            fires = list(self._fires(flow, flow.due))
            following = flow.following(self.now)
            taken = fires[-1:]
            if flow.catchup:
                taken = fires[:MOST_AT_ONCE]
                following = fires[MOST_AT_ONCE] if len(fires) > MOST_AT_ONCE else following
            else:
                self.skipped[name] += len(fires) - 1
            flow.due = following
            for fire in taken:
                tick = name, fire - flow.period
                if tick not in self.fired:
                    self.fired.add(tick)
                    found[tick] += 1
        return found

    def _fires(self, flow: Flow, first: datetime) -> Iterator[datetime]:
        while first <= self.now:
            yield first
            first += flow.period

    def claimed(self, slots: int) -> list[str]:
        """Runs that are to be handed out now: those to be done again, then the oldest queued."""
        running = [run for run in self.runs.values() if run.status == "RUNNING"]
        waiting = [run for run in running if run.retry_at is not None]
        busy = set(self.executing.values())
        again = [
            run
            for run in waiting
            if run.retry_at is not None and run.retry_at <= self.now and run.name not in busy
        ][: max(0, slots)]
        busy |= {run.name for run in waiting}
        heads: dict[str, Run] = {}
        for run in self.runs.values():
            if run.status == "PENDING" and run.name not in busy:
                heads.setdefault(run.name, run)
        chosen = [*again, *list(heads.values())[: max(0, slots - len(again))]]
        for run in chosen:
            run.status, run.retry_at = "RUNNING", None
            self.executing[run.run_id] = run.name
        return [run.run_id for run in chosen]

    def end(self, run_id: str, status: str) -> None:
        """A run ends; what did not complete takes the queued rest of its backfill along."""
        run = self.runs[run_id]
        run.status, run.retry_at = status, None
        if status == "COMPLETED" or run.backfill_id is None:
            return
        for other in self.runs.values():
            if other.backfill_id == run.backfill_id and other.status == "PENDING":
                other.status = "KILLED"

    def report(self, run_id: str, status: str) -> None:
        """The SQL of a run has ended; who stopped it meanwhile has the last word."""
        del self.executing[run_id]
        if self.runs[run_id].status == "RUNNING":
            self.end(run_id, status)

    def crash(self) -> None:
        self.executing.clear()
        for run in self.runs.values():
            if run.status == "RUNNING" and run.retry_at is None:
                run.retry_at = self.now
