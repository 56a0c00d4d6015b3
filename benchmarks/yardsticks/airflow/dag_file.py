"""An airflow file: a dag of each spec in the folder that is named like this file.

Written the way Airflow's page on dynamic DAG generation recommends. All specs in one folder make it
a generator, one spec makes it a file of one DAG.
"""

from pathlib import Path

import yaml
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param
from airflow.timetables.trigger import CronTriggerTimetable


def build(path: Path) -> DAG:
    spec = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    schedule = spec["schedule"]
    with DAG(
        spec["name"],
        schedule=CronTriggerTimetable(schedule["cron"], timezone=schedule["timezone"]),
        catchup=False,
        description=spec["description"],
        tags=spec["tags"],
        params={one["name"]: Param(None, type=["null", one["type"]]) for one in spec["parameters"]},
        is_paused_upon_creation=False,
    ) as dag:
        BashOperator(
            task_id="run",
            owner=spec["owner"],
            bash_command="true",
            env={"SQL": spec["query_statement"]},
            retries=spec["schedule"]["retry"]["max_attempts"] - 1,
        )
    return dag


for path in sorted(Path(__file__).with_suffix("").glob("*.yaml")):
    globals()[path.stem] = build(path)
