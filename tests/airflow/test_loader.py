"""What Airflow's own loader makes of the copy of a spec store."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from basecamp.engines.airflow.environment import AirflowEnvironment
from dli.specs.published import open_published
from dli_airflow.mirror import Mirror
from managed_airflow import ENVIRONMENT

PROBE = Path(__file__).parents[1] / "support" / "dagbag_probe.py"
SPEC = """
name: {name}
owner: ann@example.com
team: data
description: "{text}"
execution: {{dialect: duckdb, timeout_seconds: {limit}}}
parameters: [{{name: size, type: integer, default: 1}}, {{name: kind, required: false}}]
query_statement: SELECT '{{{{ ds }}}}'
"""
SCHEDULE = """
schedule:
  cron: "0 6 * * *"
  timezone: Asia/Seoul
  catchup: true
  retry: {max_attempts: 3, delay_seconds: 7}
"""


class Copy:
    """A store, its copy, and what Airflow reads there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("code", "manual"):
            (root / "store" / name).mkdir(parents=True)

    def put(self, name: str, more: str = "", text: str = "Text", limit: int = 60) -> None:
        spec = SPEC.format(name=name, text=text, limit=limit) + more
        (self.root / "store" / "code" / f"{name}.yaml").write_text(spec)

    def refresh(self) -> None:
        store = open_published((self.root / "store").as_uri())
        Mirror(self.root / "dags", shards=1).update(store, datetime.now(UTC))

    def read(self) -> dict[str, Any]:
        out = self.root / "found.json"
        environment = AirflowEnvironment(ENVIRONMENT)
        environment.install(print)
        done = subprocess.run(
            [str(environment.python), str(PROBE), str(self.root / "dags"), str(out)],
            env={**os.environ, "AIRFLOW_HOME": str(self.root / "home")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(out.read_text())
        return found


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_a_dag_has_what_its_spec_says(copy: Copy) -> None:
    copy.put("lake.mart.daily", SCHEDULE)
    copy.put("lake.mart.asked")
    copy.refresh()
    found = copy.read()
    assert found["errors"] == {}
    daily = found["dags"]["lake.mart.daily"]
    page = daily.pop("page")
    assert "SELECT '{{ ds }}'" in page
    spec_tag = daily.pop("tags")[1]
    assert spec_tag.removeprefix("spec:") in page
    assert daily == {
        "description": "Text",
        "file": "dli_shard_000.py",
        "catchup": True,
        "schedule": "0 6 * * * in Asia/Seoul",
        "fires": True,
        "owner": "ann@example.com",
        "retries": 2,
        "retry_delay_s": 7,
        "limit_s": 120,
        "at_once": 1,
        "parameters": ["ds", "execution_date", "kind", "size"],
    }
    asked = found["dags"]["lake.mart.asked"]
    assert (asked["schedule"], asked["fires"], asked["retries"]) == ("on demand", False, 0)


def test_one_poisoned_spec_of_a_shard_hurts_no_other(copy: Copy) -> None:
    for name in ("a", "b", "c"):
        copy.put(f"lake.mart.{name}")
    (copy.root / "store" / "code" / "lake.mart.b.yaml").write_text("name: [")
    copy.refresh()
    found = copy.read()
    assert found["dags"].keys() == {"lake.mart.a", "lake.mart.c"}
    (error,) = found["errors"].items()
    assert error[0] == "problems/lake.mart.b.py"
    assert "code/lake.mart.b.yaml" in error[1]


def test_strange_but_valid_values_do_not_break_the_file(copy: Copy) -> None:
    copy.put("lake.mart.nul", SCHEDULE, text="before\\0after")
    copy.put("lake.mart.long", limit=10**20)
    copy.put("lake.mart.braces", text="{{ not.a.template }} {% raw %}")
    copy.put("lake.mart.plain")
    copy.refresh()
    found = copy.read()
    assert found["errors"] == {}
    assert found["dags"]["lake.mart.nul"]["description"] == "beforeafter"
    assert found["dags"]["lake.mart.braces"]["description"] == "{{ not.a.template }} {% raw %}"
    assert len(found["dags"]) == 4


def test_what_cannot_be_built_is_named_and_alone(copy: Copy) -> None:
    copy.put("lake.mart.fine")
    copy.put("lake.mart.odd")
    copy.refresh()
    (data,) = (copy.root / "dags").glob("dli_shard_*.json")
    shard = json.loads(data.read_text())
    del shard["entries"]["lake.mart.odd"]["content"]["execution"]
    data.write_text(json.dumps(shard))
    found = copy.read()
    assert found["dags"].keys() == {"lake.mart.fine"}
    assert "lake.mart.odd" in found["errors"]["dli_shard_000.py"]
