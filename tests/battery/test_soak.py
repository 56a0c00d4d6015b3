"""A server that works for a while, with schedules and requests, stays as it was: size, speed."""

import os
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression

import pytest

from campaign import Campaign
from crowd import Ask, asked_steadily, percentile, served_by, spec
from kept import Kept
from process import Server

pytestmark = pytest.mark.alone

SCHEDULES = 200
PER_SECOND = 20
WARM_UP_S = 20
CROWD, CROWD_S = 3_000, 15
"""Before that: every thread and connection has had work, and every cache is full."""
NAMES = [f"local.soak.t{number:03}" for number in range(SCHEDULES)]


@dataclass
class Sizes:
    """Memory and open files of a process, once a second."""

    pid: int
    seconds: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    def watch(self, over: threading.Event) -> None:
        number = 0
        while not over.wait(1.0):
            number += 1
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
            self.seconds.append(number)
            self.rss_mb.append(pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024)
            self.descriptors.append(len(os.listdir(f"/proc/{self.pid}/fd")))  # noqa: PTH208

    def after(self, warm_up_s: float) -> "Sizes":
        start = next(n for n, second in enumerate(self.seconds) if second >= warm_up_s)
        return Sizes(self.pid, self.seconds[start:], self.rss_mb[start:], self.descriptors[start:])

    @property
    def growth_mb_per_minute(self) -> float:
        return linear_regression(self.seconds, self.rss_mb).slope * 60


@pytest.fixture
def server(tmp_path: Path, kept: Kept) -> Iterator[Server]:
    project = tmp_path / "project"
    project.mkdir()
    (project / "dli.yaml").write_text("project: {name: soak}\n")
    started = Server(project, kept.variables)
    started.wait_until_ready()
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


def asks(campaign: Campaign, number: int) -> Iterator[Ask]:
    """What people and services ask in a day, in no order."""
    choose = campaign.random.choice
    for _ in range(number):
        name = choose(NAMES)
        yield choose(
            [
                Ask("GET", "/workflows?limit=20"),
                Ask("GET", f"/workflows/{name}"),
                Ask("GET", "/workflows/history?limit=20"),
                Ask("GET", f"/workflows/history?dataset={name}&limit=5"),
                Ask("POST", f"/workflows/{name}/run", b"{}", secrets.token_hex(8)),
                Ask("POST", f"/workflows/{name}/pause", b"{}"),
                Ask("POST", f"/workflows/{name}/unpause", b"{}"),
                Ask("GET", "/catalog/tables?limit=20"),
                Ask("GET", "/workflows/runs/run-nowhere"),
            ]
        )


EXPECTED = {200, 202, 404, 409}


def test_t16_after_a_while_it_is_as_small_and_fast_as_before(
    campaign: Campaign, kept: Kept, server: Server
) -> None:
    if kept.url is not None and campaign.size(ci=1, long=0):
        pytest.skip("on PostgreSQL it soaks in the long battery only, to be done in time")
    answer = server.client(300).workflow_publish([spec(name, "* * * * *") for name in NAMES])
    assert answer.success, answer
    seconds = campaign.size(ci=120, long=3_600)
    sizes, over = Sizes(server.process.pid), threading.Event()
    watching = threading.Thread(target=sizes.watch, args=(over,))
    watching.start()
    try:
        crowd = list(asks(campaign, CROWD))
        asked_steadily(served_by(server), crowd, CROWD / CROWD_S)
        begun_s = len(sizes.seconds)
        wanted = list(asks(campaign, PER_SECOND * (WARM_UP_S + seconds)))
        told = asked_steadily(served_by(server), wanted, PER_SECOND)
    finally:
        over.set()
        watching.join()
    campaign.count("requests", len(told))
    campaign.count("schedules", SCHEDULES)
    steady = sizes.after(begun_s + WARM_UP_S)
    third = len(steady.seconds) // 3
    unexpected = [one for one in told if one.status not in EXPECTED]
    campaign.figure("errors", len(unexpected), limit=0)
    campaign.figure("growth of RSS", steady.growth_mb_per_minute, "MB/min", limit=1)
    campaign.figure("RSS at the end", steady.rss_mb[-1], "MB")
    more = max(steady.descriptors[-third:]) - max(steady.descriptors[:third])
    campaign.figure("more open files in the last third", more, limit=5)
    times_ms = [one.seconds * 1000 for one in told[PER_SECOND * WARM_UP_S :]]
    third = len(times_ms) // 3
    first, last = percentile(times_ms[:third], 0.99), percentile(times_ms[-third:], 0.99)
    campaign.figure("p99 in the first third", first, "ms")
    campaign.figure("p99 in the last third", last, "ms", limit=max(2 * first, 200))
