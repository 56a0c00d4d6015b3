"""The DAG of one entry: one task, the schedule of the spec, and what people want to see of it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, Param

from dli_airflow.notifier import Notifier, unreachable
from dli_airflow.operator import DatasetOperator
from dli_airflow.plan import Plan
from dli_airflow.timetable import DatasetTimetable

if TYPE_CHECKING:
    from pathlib import Path

    from dli_airflow.entry import Entry

__all__ = ["build_dag"]

_ACTIVE_RUNS = 1_000
_LONGEST_S = 100 * 365 * 86_400
_GRACE = timedelta(seconds=60)
"""The job ends itself at the time limit; Airflow ends one that does not."""


def build_dag(entry: Entry, stub: Path, *, is_retired: bool = False) -> DAG:
    """The DAG of an entry with content.

    All fires become runs and wait for each other at the task, so that none is left out while one
    takes long.
    """
    content = entry.content or {}
    cron, timezone, fires = entry.rhythm
    plan = Plan(
        dataset_name=entry.name,
        cron=cron,
        timezone=timezone,
        since=datetime.fromisoformat(entry.since),
        is_paused=is_retired or not fires,
        catchup=bool(entry.schedule.get("catchup", False)),
    )
    targets = entry.schedule.get("notifications", {})
    dag = DAG(
        entry.name,
        schedule=DatasetTimetable(plan),
        description=_shown(content.get("description", "")) or None,
        catchup=False,
        max_active_runs=_ACTIVE_RUNS,
        is_paused_upon_creation=False,
        tags=_tags(entry, is_retired=is_retired),
        doc_md=_page(entry),
        on_failure_callback=Notifier.for_event("on_failure", targets),
        on_success_callback=Notifier.for_event("on_success", targets),
    )
    _add_task(dag, entry, stub, is_retired=is_retired)
    dag.params["parameters"] = _parameters(content)  # later than the task, which would copy it
    return dag


def _add_task(dag: DAG, entry: Entry, stub: Path, *, is_retired: bool) -> None:
    content = entry.content or {}
    retry = entry.schedule.get("retry", {})
    timeout = _duration(content["execution"]["timeout_seconds"])
    DatasetOperator(
        task_id="run",
        dag=dag,
        owner=_shown(content["owner"]),
        entry=entry,
        stub=stub,
        is_retired=is_retired,
        retries=retry.get("max_attempts", 1) - 1,
        retry_delay=_duration(retry.get("delay_seconds", 0)),
        execution_timeout=timeout + _GRACE,
        max_active_tis_per_dag=1,
    )


def _tags(entry: Entry, *, is_retired: bool) -> list[str]:
    tags = [f"dli:{entry.source_type}", f"spec:{entry.spec_hash[:12]}"]
    if is_retired:
        tags.append("retired")
    if entry.problem is not None:
        tags.append("broken-spec")
    return tags


def _parameters(content: dict[str, Any]) -> Param:
    """What Airflow's form shows and which names it lets through; the operator checks the values.

    Airflow checks the schema itself at each parse: one that describes values would double its cost.
    """
    declared = {parameter["name"]: parameter for parameter in content.get("parameters", [])}
    lines = [
        f"{name} ({parameter['type']}): {parameter.get('description', '')}".rstrip(": ")
        for name, parameter in declared.items()
    ]
    names = sorted({*declared, "ds", "execution_date"})
    return Param(
        {},
        description=_shown("; ".join(["Parameters of the dataset", *lines])),
        type="object",
        propertyNames={"enum": [_shown(name) for name in names]},
    )


def _page(entry: Entry) -> str:
    content = entry.content or {}
    lines = [content.get("description", ""), f"Owner {content['owner']}, team {content['team']}."]
    if entry.problem is not None:
        lines.append(f"**The newest spec cannot be used, the last good one runs:** {entry.problem}")
    lines.append(f"Spec `{entry.spec_hash}` ({entry.source_type})")
    if missing := unreachable(entry.schedule.get("notifications", {})):
        lines.append(f"**Nobody is told how runs end:** {', '.join(missing)} is not set here.")
    statement = content.get("query_statement")
    if statement:
        lines.append("```sql\n" + statement.rstrip() + "\n```")
    if entry.schedule:
        lines.append("```json\n" + json.dumps(entry.schedule, indent=1, sort_keys=True) + "\n```")
    return _shown("\n\n".join(line for line in lines if line))


def _shown(text: str) -> str:
    """The text without what PostgreSQL cannot store: it would keep the whole shard out."""
    return text.replace("\x00", "")


def _duration(seconds: int) -> timedelta:
    return timedelta(seconds=min(seconds, _LONGEST_S))
