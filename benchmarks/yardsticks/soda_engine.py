"""`soda` with its own arguments, then the seconds that its queries have taken, as the last line."""

import sys
import time

from soda_core.cli.cli import execute
from soda_core.common.data_source_connection import DataSourceConnection

taken_s: list[float] = []
ask = DataSourceConnection.execute_query


def timed(self: DataSourceConnection, *words: object, **options: object) -> object:
    started = time.perf_counter()
    try:
        return ask(self, *words, **options)
    finally:
        taken_s.append(time.perf_counter() - started)


DataSourceConnection.execute_query = timed
try:
    execute()
except SystemExit as end:
    if end.code:
        raise
finally:
    sys.stdout.flush()
    print(sum(taken_s))
