"""A DAG processor that starts with many workflows: until all are there, and what it costs then."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.airflow import corpus
from benchmarks.airflow.corpus import CORPUS
from benchmarks.airflow.dag_processor import DagProcessor, local_bundle
from benchmarks.cpu import session_cpu_s
from benchmarks.figure import Figure, at_most, at_most_times
from benchmarks.measure import Samples, Side, in_turn, progress

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.airflow.scale import Scale

__all__ = ["fresh_start", "one_file_each", "steady"]

_SETTLE_S = 20
_LIMIT_S = 10
"""A third of what Airflow allows for the import of a file (30 s)."""


def fresh_start(directory: Path, scale: Scale) -> list[Figure]:
    """From the start of the DAG processor, which has never seen a DAG, to the last DAG in Airflow's
    metadata (SQLite); nothing else of Airflow runs. Generator and ours start in turn.
    """
    folder = directory / "generator"
    corpus.write_generator(folder, scale.generator)
    theirs = DagProcessor(directory / "theirs", "file:///nowhere", local_bundle(folder))
    ours = _ours(directory, scale)
    sides = [
        Side("generator", lambda: theirs.all_shown_ms(CORPUS, scale.generator)),
        Side("dli", lambda: ours.all_shown_ms(CORPUS, scale.workflows)),
    ]
    generator, dli = in_turn(sides, scale.starts, warm_ups=0)
    count, files, slowest_s = ours.shown(CORPUS)
    name = f"fresh start of {scale.workflows:,} workflows against one generator file of "
    return [
        Figure(f"{name}{scale.generator:,}", "ms", dli, at_most_times(1.2), generator),
        Figure(f"slowest of our {files} files", "s", Samples([slowest_s]), at_most(_LIMIT_S)),
        Figure("workflows in them", "", Samples([float(count)])),
    ]


def one_file_each(directory: Path, scale: Scale) -> list[Figure]:
    """As `fresh-start`, once each: the other side takes many minutes."""
    folder = directory / "files"
    corpus.write_files(folder, scale.workflows)
    theirs = DagProcessor(directory / "theirs", "file:///nowhere", local_bundle(folder))
    ours = _ours(directory, scale)
    sides = [
        Side("one file each", lambda: theirs.all_shown_ms(CORPUS, scale.workflows)),
        Side("dli", lambda: ours.all_shown_ms(CORPUS, scale.workflows)),
    ]
    files, dli = in_turn(sides, 1, warm_ups=0)
    name = f"fresh start of {scale.workflows:,} workflows against as many files of one DAG"
    return [Figure(name, "ms", dli, at_most_times(0.15), files)]


def steady(directory: Path, scale: Scale) -> list[Figure]:
    """CPU of the DAG processor and its children when all is there and nothing changes."""
    processor = _ours(directory, scale)
    with processor.started() as process:
        processor.wait_for(process, CORPUS, scale.workflows)
        time.sleep(_SETTLE_S)
        progress(f"watching an idle DAG processor for {scale.watch_s:g} s")
        before = session_cpu_s(process.pid)
        time.sleep(scale.watch_s)
        share = 100 * (session_cpu_s(process.pid) - before) / scale.watch_s
    name = f"idle DAG processor with {scale.workflows:,} workflows"
    return [Figure(name, "% of a core", Samples([share]), at_most(5))]


def _ours(directory: Path, scale: Scale) -> DagProcessor:
    corpus.write_store(directory / "store", scale.workflows)
    return DagProcessor(directory / "ours", (directory / "store").as_uri())
