"""The figures of a server follow what its runs do."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from basecamp.store import idempotency, workflow
from basecamp.store.idempotency import StoredAnswer

SQL = "CREATE OR REPLACE TABLE daily AS SELECT 1 AS a"


def figure(site: Any, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", site.get("/metrics").text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


def test_the_duration_of_runs_and_the_delay_of_scheduled_ones(working_site: Any) -> None:
    name = "shop.sales.daily"
    dml = {"type": "Dataset", "query_type": "DML", "execution": {"dialect": "duckdb"}}
    spec = working_site.spec(name, query_statement=SQL, **dml)
    assert working_site.register(name, spec=spec, cron="0 * * * *").status == 201
    ended = 'basecamp_run_duration_seconds_count{{kind="{}",state="COMPLETED"}}'
    working_site.start_run(name)
    working_site.wait_until(lambda: figure(working_site, ended.format("adhoc")) == 1)
    assert figure(working_site, "basecamp_schedule_delay_seconds_count") == 0
    fire = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    with working_site.basecamp.database.transaction() as tx:
        row = workflow.effective(tx, name)
        assert row is not None
        workflow.change(tx, row.id, {"next_fire_at": fire})
    working_site.basecamp.engine.wake()
    working_site.wait_until(lambda: figure(working_site, ended.format("scheduled")) == 1)
    assert figure(working_site, "basecamp_schedule_delay_seconds_count") == 1
    assert 0 < figure(working_site, "basecamp_schedule_delay_seconds_sum") < 3600
    assert figure(working_site, 'basecamp_runs_total{kind="scheduled",state="COMPLETED"}') == 1
    assert figure(working_site, "basecamp_scheduler_last_tick_timestamp_seconds") > fire.timestamp()
    assert figure(working_site, 'basecamp_part_ok{part="scheduler"}') == 1


def test_a_stop_of_a_run_counts_as_its_end(module_site: Any) -> None:
    module_site.register()
    run_id = module_site.start_run()
    stop = f"/api/v1/workflows/runs/{run_id}/stop"
    assert module_site.post(stop, {}).status == 200
    assert figure(module_site, 'basecamp_runs_total{kind="adhoc",state="KILLED"}') == 1


def test_what_has_had_its_time_goes_and_is_counted(module_site: Any) -> None:
    long_ago = datetime.now(UTC) - idempotency.KEEP - timedelta(days=1)
    with module_site.basecamp.database.transaction() as tx:
        idempotency.save(tx, "long ago", StoredAnswer("", 200, {}), long_ago)
    module_site.basecamp.retention.expire()
    assert figure(module_site, 'basecamp_expired_total{what="answers"}') == 1
    with module_site.basecamp.database.read() as tx:
        assert idempotency.find(tx, "long ago") is None
