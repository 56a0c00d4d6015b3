"""How late schedules begin: many spread over time, and as many that are due at one instant."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from campaign import Campaign
from crowd import percentile, spec
from kept import Kept
from process import Server, wait_for

pytestmark = pytest.mark.alone

YEARLY = "0 0 1 1 *"
LEAD_S = 8
GRACE_S = 120


class Watched:
    """A server with schedules, and who notes when the run of each shows in its store."""

    def __init__(self, project: Path, kept: Kept) -> None:
        self.kept = kept
        self.server = Server(project, kept.variables)
        self.server.wait_until_ready()

    def publish(self, count: int) -> list[str]:
        names = [f"local.drift.t{number:05}" for number in range(count)]
        answer = self.server.client(300).workflow_publish([spec(name, YEARLY) for name in names])
        assert answer.success, answer
        return names

    def late_by_s(self, after_s: dict[str, float]) -> dict[str, float]:
        """How long after its fire the run of each dataset could be seen.

        The first fire comes when the server has been started again.
        """
        lead_s = LEAD_S + 3 * self._restart_s()
        assert self.server.stop() == 0
        base = datetime.now(UTC) + timedelta(seconds=lead_s)
        fires = {name: base + timedelta(seconds=after) for name, after in after_s.items()}
        self._make_due(fires)
        self.server.start()
        self.server.wait_until_ready()
        assert datetime.now(UTC) < base, "it was not ready before the first fire"
        seen: dict[str, datetime] = {}
        newest, pause = 0, threading.Event()
        deadline = time.monotonic() + GRACE_S + (max(fires.values()) - datetime.now(UTC)).seconds
        while fires.keys() - seen.keys():
            assert time.monotonic() < deadline, f"{len(seen)} of {len(fires)}"
            pause.wait(0.01)
            statement = "SELECT seq, dataset_name FROM run WHERE seq > ? AND run_type = 'scheduled'"
            for seq, name in self.kept.rows(statement, [newest]):
                newest = max(newest, seq)
                seen[name] = datetime.now(UTC)
        return {name: (seen[name] - at).total_seconds() for name, at in fires.items()}

    def _restart_s(self) -> float:
        assert self.server.stop() == 0
        begun = time.monotonic()
        self.server.start()
        self.server.wait_until_ready()
        return time.monotonic() - begun

    def _make_due(self, fires: dict[str, datetime]) -> None:
        values: list[object] = []
        for name, at in fires.items():
            values += [name, at if self.kept.url else at.isoformat(timespec="microseconds")]
        table = ", ".join(["(?, ?)"] * len(fires))
        self.kept.change(
            "UPDATE workflow SET next_fire_at = due.column2 "
            f"FROM (VALUES {table}) AS due WHERE dataset_name = due.column1",
            values,
        )

    def once_each(self, names: list[str]) -> bool:
        found = self.kept.rows("SELECT dataset_name FROM run WHERE run_type = 'scheduled'")
        return sorted(name for (name,) in found) == sorted(names)


@pytest.fixture
def watched(tmp_path: Path, kept: Kept) -> Iterator[Watched]:
    project = tmp_path / "project"
    project.mkdir()
    (project / "dli.yaml").write_text("project: {name: drift}\n")
    opened = Watched(project, kept)
    yield opened
    if opened.server.process.poll() is None:
        opened.server.process.kill()
        opened.server.process.wait()


def test_t15_schedules_fire_on_time_spread_and_all_at_once(
    campaign: Campaign, watched: Watched
) -> None:
    count, span_s = campaign.size(ci=1_000, long=10_000), campaign.size(ci=30, long=3_600)
    names = watched.publish(2 * count)
    spread, herd = names[:count], names[count:]
    late = watched.late_by_s({name: campaign.random.uniform(0, span_s) for name in spread})
    campaign.count("schedules spread", count)
    campaign.figure("p99 late", percentile(late.values(), 0.99), "s", limit=1)
    campaign.figure("latest", max(late.values()), "s")

    wait_for(lambda: nothing_open(watched.kept), within_s=GRACE_S)
    late = watched.late_by_s(dict.fromkeys(herd, 0.0))
    campaign.count("schedules at one instant", count)
    campaign.figure("last of the herd late", max(late.values()), "s", limit=count / 200)
    assert min(late.values()) >= 0
    assert watched.once_each(names)


def nothing_open(kept: Kept) -> bool:
    return not kept.rows("SELECT 1 FROM run WHERE status IN ('PENDING', 'RUNNING') LIMIT 1")
