"""CODE over MANUAL: who is in force under a dataset's name, and what comes back when CODE goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from basecamp.store import holding, message, run, spec, workflow
from basecamp.store.run import Outcome
from dli.specs.schedule import next_fire

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from basecamp.store.workflow import WorkflowRow

CODE = "code"
MANUAL = "manual"


def entry_values(content: dict[str, Any], spec_hash: str) -> dict[str, Any]:
    """The columns of a workflow that its spec decides."""
    schedule = content.get("schedule") or {}
    retry = schedule.get("retry") or {}
    execution = content.get("execution") or {}
    return {
        "cron": schedule.get("cron", ""),
        "timezone": schedule.get("timezone", "UTC"),
        "catchup": bool(schedule.get("catchup", False)),
        "spec_hash": spec_hash,
        "spec_enabled": bool(schedule.get("enabled", True)),
        "owner": content["owner"],
        "team": content["team"],
        "description": content.get("description", ""),
        "tags": content.get("tags", []),
        "retry_max_attempts": int(retry.get("max_attempts", 1)),
        "retry_delay_seconds": int(retry.get("delay_seconds", 300)),
        "timeout_seconds": int(execution.get("timeout_seconds", 3600)),
    }


def put_code(tx: Connection, content: dict[str, Any], now: datetime) -> str:
    """Bring one CODE workflow in force; returns `added`, `changed` or `unchanged`.

    An existing one keeps its pause state unless `schedule.enabled` itself changed.
    """
    name = content["name"]
    old = workflow.find(tx, name, CODE)
    digest = spec.save(tx, content, now)
    if old is not None and old.spec_hash == digest and old.error is None:
        return "unchanged"
    values = entry_values(content, digest)
    holding.keep(tx, holding.DATASET, name, content["team"])
    if old is None:
        _add(tx, name, CODE, values, now, paused=not values["spec_enabled"], stored=True)
        _override_manual(tx, name, content, now)
        return "added"
    _replace(tx, old, values, now, paused=_paused_after(old, values))
    return "changed"


def remove_code(tx: Connection, name: str, now: datetime) -> None:
    """Take a CODE workflow out: queued runs end, history stays, MANUAL comes back as it was."""
    old = workflow.find(tx, name, CODE)
    if old is None:
        return
    _remove(tx, old, now, "The workflow was removed from the published set.")
    manual = workflow.find(tx, name, MANUAL)
    if manual is not None:
        status = "paused" if manual.paused else "active"
        _set_status(tx, manual, now, status)
        holding.keep(tx, holding.DATASET, name, manual.team)
        content = spec.load(tx, old.spec_hash)
        body = f"CODE has gone; the MANUAL workflow is in force again, {status} as it was."
        _tell_of_change(tx, manual, content, body, now)


def put_manual(
    tx: Connection,
    content: dict[str, Any],
    now: datetime,
    *,
    stored: bool,
    from_file: bool = False,
) -> str:
    """Store a MANUAL workflow; returns `added` or `changed`. Under a CODE one it is overridden.

    A registration sets the pause state; read `from_file` it stays unless `enabled` changed.
    """
    name = content["name"]
    values = entry_values(content, spec.save(tx, content, now))
    old = workflow.find(tx, name, MANUAL)
    paused = not values["spec_enabled"]
    is_overridden = workflow.find(tx, name, CODE) is not None
    if not is_overridden:
        holding.keep(tx, holding.DATASET, name, content["team"])
    if old is not None:
        paused = _paused_after(old, values) if from_file else paused
        _replace(tx, old, values, now, paused=paused)
        workflow.change(tx, old.id, {"stored": stored, "error": None})
        return "changed"
    _add(tx, name, MANUAL, values, now, paused=paused, stored=stored, is_overridden=is_overridden)
    return "added"


def remove_manual(tx: Connection, name: str, now: datetime) -> None:
    """Take a MANUAL workflow out: queued runs end, a running one ends by itself, history stays."""
    old = workflow.find(tx, name, MANUAL)
    if old is not None:
        _remove(tx, old, now, "The workflow was unregistered.")


def set_paused(tx: Connection, row: WorkflowRow, now: datetime, values: dict[str, Any]) -> None:
    """Apply a pause or its end (`values["paused"]`) to a workflow that is in force."""
    status = "paused" if values["paused"] else "active"
    workflow.change(tx, row.id, values)
    _set_status(tx, row, now, status)


def _add(
    tx: Connection,
    name: str,
    source_type: str,
    values: dict[str, Any],
    now: datetime,
    *,
    paused: bool,
    stored: bool,
    is_overridden: bool = False,
) -> None:
    status = "overridden" if is_overridden else "paused" if paused else "active"
    identity = {
        "dataset_name": name,
        "source_type": source_type,
        "status": status,
        "paused": paused,
    }
    times = {"created_at": now, "updated_at": now, "next_fire_at": _next_fire(values, status, now)}
    workflow.add(tx, {**values, **identity, **times, "stored": stored})


def _replace(
    tx: Connection, old: WorkflowRow, values: dict[str, Any], now: datetime, *, paused: bool
) -> None:
    status = "overridden" if old.status == "overridden" else "paused" if paused else "active"
    keeps_fire = (
        status == old.status and values["cron"] == old.cron and values["timezone"] == old.timezone
    )
    fire = old.next_fire_at if keeps_fire else _next_fire(values, status, now)
    changed = {
        "paused": paused,
        "status": status,
        "next_fire_at": fire,
        "updated_at": now,
        "error": None,
    }
    if not paused:
        changed |= {"pause_reason": None, "paused_by": None, "pause_until": None}
    workflow.change(tx, old.id, {**values, **changed})


def _paused_after(old: WorkflowRow, values: dict[str, Any]) -> bool:
    if values["spec_enabled"] != old.spec_enabled:
        return not values["spec_enabled"]
    return bool(old.paused)


def _override_manual(tx: Connection, name: str, code: dict[str, Any], now: datetime) -> None:
    manual = workflow.find(tx, name, MANUAL)
    if manual is not None:
        _set_status(tx, manual, now, "overridden")
        body = "CODE is in force; the MANUAL workflow is overridden and kept."
        _tell_of_change(tx, manual, code, body, now)


def _tell_of_change(
    tx: Connection, manual: WorkflowRow, code: dict[str, Any], body: str, now: datetime
) -> None:
    """Both sides may want to know; who is named by both is told once."""
    targets: list[dict[str, str]] = []
    for content in (code, spec.load(tx, manual.spec_hash)):
        notifications = (content.get("schedule") or {}).get("notifications") or {}
        wanted = notifications.get("on_source_change") or []
        targets += [target for target in wanted if target not in targets]
    message.add(tx, targets, f"{manual.dataset_name} changed its source", body, now)


def _set_status(tx: Connection, row: WorkflowRow, now: datetime, status: str) -> None:
    fire = _next_fire({"cron": row.cron, "timezone": row.timezone}, status, now)
    workflow.change(tx, row.id, {"status": status, "next_fire_at": fire, "updated_at": now})


def _next_fire(values: dict[str, Any], status: str, now: datetime) -> datetime | None:
    if status != "active" or not values["cron"]:
        return None
    return next_fire(values["cron"], values["timezone"], now)


def _remove(tx: Connection, row: WorkflowRow, now: datetime, why: str) -> None:
    run.kill_pending_of_workflow(
        tx, row.dataset_name, row.source_type, Outcome("KILLED", stop_reason=why), now
    )
    workflow.remove(tx, row.id)
