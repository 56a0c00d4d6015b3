"""`python -m benchmarks [NAME ...]`: measure all figures, or those named, and write them down."""

from __future__ import annotations

import argparse
import compileall
import inspect
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import (
    dataset_run,
    listing,
    quality,
    server,
    single_run,
    start_up,
    throughput,
    transpilation,
    validation,
)
from benchmarks.figure import table
from benchmarks.measure import progress
from benchmarks.report import put, section
from benchmarks.yardstick import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.figure import Figure

BENCHMARKS: dict[str, Callable[[Path], list[Figure]]] = {
    "import": start_up.imports,
    "start-up": start_up.commands,
    "list": start_up.listing,
    "run": single_run.run,
    "backfill": single_run.backfill,
    "queue": throughput.queue,
    "server-list": listing.listing,
    "ready": server.ready,
    "idle": server.idle,
    "stop": server.stop,
    "validate": validation.validate,
    "quality": quality.quality,
    "transpile": transpilation.transpile,
    "dataset-run": dataset_run.dataset_run,
}


_RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - BENCHMARKS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    compileall.compile_dir(ROOT / "src", quiet=1)  # the yardsticks are compiled, too
    for name in names:
        progress(f"measuring {name}")
        load = os.getloadavg()[0]
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
            figures = BENCHMARKS[name](Path(folder))
        print(table(figures), end="\n\n", flush=True)
        text = section(figures, inspect.getdoc(BENCHMARKS[name]) or "", load)
        put(_RESULTS, name, text, order=BENCHMARKS, command="make bench")


if __name__ == "__main__":
    main()
