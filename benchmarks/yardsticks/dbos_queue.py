"""Jobs on DBOS with SQLite: how long from queueing the first until the last is stored as done.

Runs in the yardstick's own environment: `python dbos_queue.py JOB DIRECTORY COUNT TABLES POLL_S`.
The job `sql` replaces one day of a DuckDB table as a step, and the queue lets one job of a table
run at a time; the job `empty` does nothing, in any order. One process queues and works, which
favours DBOS; the queue is polled every POLL_S seconds, 1.0 by default of DBOS.
"""

import json
import sys
import threading
import time
from pathlib import Path

import duckdb
from dbos import DBOS, SetEnqueueOptions

LOOK_AGAIN_S = 0.025
QUEUE = "trivial"
STATEMENTS = (
    "BEGIN",
    "CREATE TABLE IF NOT EXISTS {table} (day DATE, n BIGINT)",
    "DELETE FROM {table} WHERE day = DATE '2025-01-01'",
    "INSERT INTO {table} SELECT DATE '2025-01-01', n FROM UNNEST(GENERATE_SERIES(1, 100)) AS t (n)",
    "COMMIT",
)

_done = threading.Semaphore(0)
_warehouse = duckdb.connect(str(Path(sys.argv[2]) / "warehouse.duckdb"))


@DBOS.step()
def replace_day(table: str) -> None:
    with _warehouse.cursor() as cursor:
        for text in STATEMENTS:
            cursor.execute(text.format(table=table))


@DBOS.workflow()
def sql(table: str) -> None:
    replace_day(table)
    _done.release()


@DBOS.workflow()
def empty(_table: str) -> None:
    _done.release()


def queue(job: str, count: int, tables: int) -> None:
    for number in range(count):
        table = f"t{number % tables}"
        if job == "sql":
            with SetEnqueueOptions(queue_partition_key=table):
                DBOS.enqueue_workflow(QUEUE, sql, table)
        else:
            DBOS.enqueue_workflow(QUEUE, empty, table)


def main(job: str, directory: str, count: int, tables: int, poll_s: float) -> None:
    url = f"sqlite:///{directory}/dbos.db"
    DBOS(config={"name": "yardstick", "system_database_url": url, "log_level": "ERROR"})
    DBOS.launch()
    serial = {"partition_concurrency": 1} if job == "sql" else {}
    DBOS.register_queue(QUEUE, polling_interval_sec=poll_s, **serial)
    started = time.perf_counter()
    queue(job, count, tables)
    queued_s = time.perf_counter() - started
    for _ in range(count):
        _done.acquire()
    while DBOS.list_workflows(status=["ENQUEUED", "PENDING"], limit=1):
        time.sleep(LOOK_AGAIN_S)
    all_s = time.perf_counter() - started
    failed = DBOS.list_workflows(status=["ERROR", "CANCELLED"], limit=1)
    if failed:
        sys.exit("a job failed")
    print(json.dumps({"queued_s": queued_s, "all_s": all_s}))
    DBOS.destroy()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
