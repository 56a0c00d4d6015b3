"""`python -m benchmarks.airflow [NAME ...]`: measure what concerns Airflow, and write it down."""

from __future__ import annotations

import argparse
import compileall
import inspect
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.airflow import appearance, command, fresh_start, parse
from benchmarks.airflow.scale import FULL, QUICK, Scale
from benchmarks.figure import table
from benchmarks.measure import progress
from benchmarks.report import put, section
from benchmarks.yardstick import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.figure import Figure

BENCHMARKS: dict[str, Callable[[Path, Scale], list[Figure]]] = {
    "appear-file": appearance.on_file,
    "appear-s3": appearance.on_s3,
    "fresh-start": fresh_start.fresh_start,
    "one-file-each": fresh_start.one_file_each,
    "steady": fresh_start.steady,
    "parse": parse.parse,
    "trigger": command.trigger,
    "list": command.listing,
    "stop": command.stop,
    "stop-default": command.stop_default,
}


_RESULTS = Path(__file__).parents[1] / "RESULTS-airflow.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.airflow", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    quick = "with few workflows and samples, to see that it works; nothing is written down"
    parser.add_argument("--quick", action="store_true", help=quick)
    options = parser.parse_args()
    names = options.names or list(BENCHMARKS)
    if unknown := set(names) - BENCHMARKS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # else Airflow would be left behind
    compileall.compile_dir(ROOT / "src", quiet=1)
    for name in names:
        load = os.getloadavg()[0]
        figures = _measure(name, QUICK if options.quick else FULL)
        if not options.quick:
            text = section(figures, inspect.getdoc(BENCHMARKS[name]) or "", load)
            put(_RESULTS, name, text, order=BENCHMARKS, command="make bench-airflow")


def _measure(name: str, scale: Scale) -> list[Figure]:
    progress(f"measuring {name}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
        figures = BENCHMARKS[name](Path(folder), scale)
    print(table(figures), end="\n\n", flush=True)
    progress(f"{name} took {time.monotonic() - began:.0f} s")
    return figures


if __name__ == "__main__":
    sys.path.append(str(ROOT / "tests" / "support"))  # the S3 server of the tests
    main()
