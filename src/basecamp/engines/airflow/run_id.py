"""One run, two names: the id in Basecamp's store and the id in Airflow."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_PLAIN = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_SPECIAL = re.compile(r"[^A-Za-z0-9._-]", re.ASCII)
_ESCAPED = re.compile(r"~([0-9A-F]{2})", re.ASCII)
_MARK = "~~"
_AGAIN = "~again~"


def stored_id(dag_id: str, dag_run_id: str) -> str:
    """The id under which a run that Airflow made is stored.

    Airflow's ids are unique within a DAG only, unless they name it as those of our timetable do.
    """
    if dag_run_id.startswith(f"scheduled__{dag_id}__") and _PLAIN.fullmatch(dag_run_id):
        return dag_run_id
    text = _SPECIAL.sub(lambda found: _escape(found[0]), dag_run_id)
    return f"{dag_id}{_MARK}{text}"


def repeated_id(run_id: str, queued_at: datetime) -> str:
    """The id of what somebody had Airflow do again at this instant, under the id of the first."""
    return f"{run_id}{_AGAIN}{queued_at.astimezone(UTC):%Y%m%dT%H%M%S%f}"


def airflow_id(dataset_name: str, run_id: str) -> str:
    """The id of a stored run in Airflow."""
    run_id = run_id.partition(_AGAIN)[0]
    start = f"{dataset_name}{_MARK}"
    if not run_id.startswith(start):
        return run_id
    data = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), run_id.removeprefix(start))
    return data.encode("latin-1").decode()


def _escape(text: str) -> str:
    return "".join(f"~{byte:02X}" for byte in text.encode())
