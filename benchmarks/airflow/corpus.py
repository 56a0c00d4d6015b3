"""Many like workflows: as specs in a store, as DAG files, as a file of dag-factory."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import yaml
from benchmarks.yardstick import FOLDER

from basecamp.specstore.file import FileSpecStore

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CORPUS", "spec", "write_factory", "write_files", "write_generator", "write_store"]

CORPUS = "bench.corpus."
"""What the names of these workflows begin with."""
_DAG_FILES = FOLDER / "airflow"
_SQL = """\
INSERT INTO {table}
SELECT DATE '{{{{ ds }}}}', country, channel, COUNT(*), SUM(amount), AVG(amount)
FROM shop.raw.orders
WHERE day = DATE '{{{{ ds }}}}' AND amount >= {{{{ floor }}}}
{{% if country %}}AND country = '{{{{ country }}}}'{{% endif %}}
{{% if channel %}}AND channel = '{{{{ channel }}}}'{{% endif %}}
GROUP BY country, channel
"""


def spec(number: int) -> dict[str, Any]:
    """About 1 kB of YAML; the schedule comes once a year, in different minutes."""
    name = f"{CORPUS}dataset_{number:05}"
    return {
        "name": name,
        "owner": f"team{number % 50}@example.com",
        "team": f"team{number % 50}",
        "description": f"Orders of a day by country and channel, for area {number % 20}",
        "tags": ["bench", f"area_{number % 20:02}"],
        "parameters": [
            {"name": "floor", "type": "integer", "required": False, "default": 0},
            {"name": "country", "type": "string", "required": False},
            {"name": "channel", "type": "string", "required": False},
        ],
        "query_statement": _SQL.format(table=name),
        "schedule": {
            "cron": f"{number % 60} 6 1 1 *",
            "timezone": "Asia/Seoul",
            "retry": {"max_attempts": 3, "delay_seconds": 60},
        },
    }


def write_store(store: Path, count: int) -> None:
    """As a spec store on this machine has them."""
    FileSpecStore(store).prepare()
    _write_specs(store / "manual", range(count))


def write_generator(folder: Path, count: int) -> None:
    """One DAG file that makes all of them."""
    _write_specs(folder / "generator", range(count))
    shutil.copy(_DAG_FILES / "dag_file.py", folder / "generator.py")


def write_files(folder: Path, count: int) -> None:
    """One DAG file each."""
    for number in range(count):
        _write_specs(folder / f"dag_{number:05}", [number])
        shutil.copy(_DAG_FILES / "dag_file.py", folder / f"dag_{number:05}.py")


def write_factory(folder: Path, count: int) -> None:
    """The same DAGs in the language of dag-factory."""
    folder.mkdir(parents=True)
    dags = {one["name"]: _factory_dag(one) for one in map(spec, range(count))}
    (folder / "factory.yaml").write_text(_text(dags), encoding="utf-8")
    shutil.copy(_DAG_FILES / "factory_file.py", folder / "factory.py")


def _factory_dag(of: dict[str, Any]) -> dict[str, Any]:
    schedule = of["schedule"]
    parameters = {
        one["name"]: {
            "__type__": "airflow.sdk.Param",
            "default": None,
            "type": ["null", one["type"]],
        }
        for one in of["parameters"]
    }
    return {
        "default_args": {"owner": of["owner"], "retries": schedule["retry"]["max_attempts"] - 1},
        "schedule": {
            "__type__": "airflow.timetables.trigger.CronTriggerTimetable",
            "cron": schedule["cron"],
            "timezone": schedule["timezone"],
        },
        "catchup": False,
        "description": of["description"],
        "tags": of["tags"],
        "params": parameters,
        "tasks": [
            {
                "task_id": "run",
                "operator": "airflow.providers.standard.operators.bash.BashOperator",
                "bash_command": "true",
                "env": {"SQL": of["query_statement"]},
            }
        ],
    }


def _write_specs(folder: Path, numbers: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for one in map(spec, numbers):
        (folder / f"{one['name']}.yaml").write_text(_text(one), encoding="utf-8")


def _text(content: dict[str, Any]) -> str:
    return yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False)
