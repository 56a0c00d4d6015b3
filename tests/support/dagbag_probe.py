"""Runs among Airflow's packages: reads a bundle's folder as the DAG processor does."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any


def shown(dag: Any) -> dict[str, Any]:
    """What the tests want to know of a DAG that has been through Airflow's storage."""
    serialization = import_module("airflow.serialization.serialized_objects").DagSerialization
    stored = serialization.from_dict(json.loads(json.dumps(serialization.to_dict(dag))))
    task = stored.get_task("run")
    return {
        "description": stored.description,
        "file": Path(dag.fileloc).name,
        "tags": sorted(stored.tags),
        "catchup": stored.timetable.serialize()["catchup"],
        "schedule": stored.timetable.summary,
        "fires": stored.timetable.can_be_scheduled,
        "owner": task.owner,
        "retries": task.retries,
        "retry_delay_s": task.retry_delay.total_seconds(),
        "limit_s": task.execution_timeout.total_seconds(),
        "at_once": task.max_active_tis_per_dag,
        "page": stored.doc_md,
        "parameters": stored.params.get_param("parameters").schema["propertyNames"]["enum"],
    }


def read(file: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """DAGs and import errors of one file."""
    bag_of = import_module("airflow.dag_processing.dagbag").BundleDagBag
    folder = next(parent for parent in file.parents if parent.name == "dags")
    bag = bag_of(dag_folder=str(file), bundle_path=folder, bundle_name="dli")
    dags = {name: shown(dag) for name, dag in bag.dags.items() if name != "dli_sentinel"}
    return dags, bag.import_errors


if __name__ == "__main__":
    found: dict[str, Any] = {"dags": {}, "errors": {}}
    for path in sorted(Path(sys.argv[1]).rglob("*.py")):
        dags, errors = read(path)
        found["dags"].update(dags)
        found["errors"].update(errors)
    Path(sys.argv[2]).write_text(json.dumps(found))
