"""Runs among Airflow's packages: what the DAG files of a folder cost to load and to serialize."""

import json
import sys
import time
from pathlib import Path

from airflow.dag_processing.dagbag import BundleDagBag
from airflow.serialization.serialized_objects import DagSerialization

folder = Path(sys.argv[1])
BundleDagBag(dag_folder=str(folder / "warm.py"), bundle_path=folder, bundle_name="warm")
loaded_s = serialized_s = 0.0
count = 0
for file in sorted(folder.glob("*.py")):
    if file.stem == "warm":
        continue
    began = time.process_time()
    bag = BundleDagBag(dag_folder=str(file), bundle_path=folder, bundle_name="bench")
    loaded = time.process_time()
    for dag in bag.dags.values():
        DagSerialization.to_dict(dag)
    ended = time.process_time()
    if bag.import_errors:
        raise SystemExit(str(bag.import_errors))
    loaded_s += loaded - began
    serialized_s += ended - loaded
    count += len(bag.dags)
print(json.dumps({"loaded_s": loaded_s, "serialized_s": serialized_s, "dags": count}))
