"""Basecamp itself: how soon it is ready, what it costs when idle, how fast it stops a run."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from benchmarks.cpu import QUIET_S, cpu_s, is_computing
from benchmarks.figure import Figure, at_most
from benchmarks.measure import Samples, Side, in_turn, progress
from benchmarks.project import SLOW, BenchProject, Connection, wait_until

__all__ = ["idle", "ready", "stop", "stop_once"]

STARTS = 7
STOPS = 10
IDLE_S = 60
WORKER_END_S = 180
SETTLE_S = 5
SAMPLE_S = 0.005


def ready(directory: Path) -> list[Figure]:
    """`dli up` returns when the server has answered that it is ready."""
    with BenchProject(directory / "project") as project:
        up = project.dli("up")
        project.up()
        project.publish()

        def start() -> float:
            project.dli("down").run()
            return up()

        samples = in_turn([Side("dli up", start)], STARTS)[0]
    return [Figure("`dli up` until Basecamp is ready", "ms", samples, at_most(1_500))]


def idle(directory: Path) -> list[Figure]:
    """At rest the worker has ended, a minute after its last run by default; while it is still warm
    it waits with the modules and the engine that the next run needs. RSS counts pages that both
    processes share twice, PSS splits them.
    """
    with BenchProject(directory / "project") as project:
        project.up()
        project.publish()
        time.sleep(SETTLE_S)
        warm = _resting(project, IDLE_S / 2)
        progress("waiting until the worker has ended")
        wait_until(lambda: "worker" not in project.processes(), timeout_s=WORKER_END_S, pause_s=1)
        time.sleep(SETTLE_S)
        resting = _resting(project, IDLE_S)
    return [
        Figure("idle RSS", "MB", Samples([resting["rss"]]), at_most(100)),
        Figure("idle PSS", "MB", Samples([resting["pss"]])),
        Figure("idle CPU", "% of a core", Samples([resting["cpu"]]), at_most(1)),
        Figure("RSS with a warm worker", "MB", Samples([warm["rss"]])),
        Figure("PSS with a warm worker", "MB", Samples([warm["pss"]])),
        Figure("CPU with a warm worker", "% of a core", Samples([warm["cpu"]])),
    ]


def _resting(project: BenchProject, seconds: float) -> dict[str, float]:
    """CPU share and memory of all processes of a server that nobody asks anything."""
    processes = project.processes().values()
    progress(f"watching {len(processes)} idle processes for {seconds:.0f} s")
    before_s = sum(map(cpu_s, processes))
    time.sleep(seconds)
    used_s = sum(map(cpu_s, processes)) - before_s
    sizes = [_memory_mb(pid) for pid in processes]
    memory = {kind: sum(size[kind] for size in sizes) for kind in ("rss", "pss")}
    return {**memory, "cpu": 100 * used_s / seconds}


def stop(directory: Path) -> list[Figure]:
    """From starting `dli workflow stop` on a run with endless SQL.

    The SQL has gone at the beginning of the first moment in which the worker uses no CPU; the state
    is shown when the server answers KILLED.
    """
    gone, shown, both, ended = (Samples() for _ in range(4))
    with BenchProject(directory / "project") as project:
        project.up()
        project.publish()
        with project.connection() as connection:
            for _ in range(STOPS):
                run_id = connection.start_run(SLOW)
                times = stop_once(project, connection, run_id, project.processes()["worker"])
                for samples, value in zip((gone, shown, ended), times, strict=True):
                    samples.values.append(value)
                both.values.append(max(times[:2]))
    return [
        Figure("stop: SQL gone and state shown", "ms", both, at_most(1_000)),
        Figure("stop: SQL gone", "ms", gone),
        Figure("stop: state shown", "ms", shown),
        Figure("stop: the command has ended", "ms", ended),
    ]


def stop_once(
    project: BenchProject,
    connection: Connection,
    run_id: str,
    worker: int,
    *,
    quiet_s: float = QUIET_S,
) -> tuple[float, float, float]:
    """When the SQL in the process `worker` had gone, the state was shown, the command had ended.

    The SQL has gone since the last use of the CPU before `quiet_s` without any.
    """
    wait_until(lambda: is_computing(worker), timeout_s=30)
    path = f"/workflows/runs/{run_id}"
    command = project.dli("workflow", "stop", run_id)
    moments: dict[str, float] = {}
    started = time.perf_counter()
    process = subprocess.Popen(
        command.words,
        cwd=command.directory,
        env=dict(command.env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    used, busy_at = cpu_s(worker), started
    while len(moments) < 3:
        time.sleep(SAMPLE_S)
        now = time.perf_counter()
        if now - started > 30:
            process.kill()
            raise TimeoutError(f"the run was not stopped within 30 s: only {sorted(moments)}")
        if (current := cpu_s(worker)) - used > SAMPLE_S / 2:
            used, busy_at = current, now
        if "gone" not in moments and now - busy_at > quiet_s:
            moments["gone"] = busy_at
        if "shown" not in moments and connection.get(path)["status"] == "KILLED":
            moments["shown"] = time.perf_counter()
        if "ended" not in moments and process.poll() is not None:
            moments["ended"] = now
    gone, shown, ended = ((moments[name] - started) * 1000 for name in ("gone", "shown", "ended"))
    return gone, shown, ended


def _memory_mb(pid: int) -> dict[str, float]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes_kb = {
        name.strip().lower(): int(rest.split()[0])
        for name, _, rest in (line.partition(":") for line in lines)
    }
    return {kind: sizes_kb[kind] / 1024 for kind in ("rss", "pss")}
