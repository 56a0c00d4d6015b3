"""Sample runs and what calls make of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dli.client.fake.page import done
from dli.client.response import refusal
from dli.models.state import RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dli.client.response import Record, ServerResponse

__all__ = ["FakeRuns", "in_wire_form"]

_ACTIVE = (RunStatus.PENDING, RunStatus.RUNNING)


class FakeRuns:
    """The runs of one mock client by id."""

    def __init__(self) -> None:
        self._runs = {record["run_id"]: record for record in _samples()}

    def answer(self, run_id: str, path: Sequence[str], body: Record) -> ServerResponse:
        run = self._runs.get(run_id)
        if run is None:
            return refusal(404, "DLI-800", "Run not found")
        match path:
            case []:
                return done(run)
            case ["logs"]:
                is_over = run["status"] not in _ACTIVE
                return done({"lines": [], "next": 0, "done": is_over})
            case ["stop"]:
                return self._stop(run, body)
            case _:
                return refusal(405, "DLI-201", "No such operation")

    def start(self, name: str, source_type: str, body: Record) -> ServerResponse:
        run_id = self._new_id(name)
        if body["dry_run"]:
            return done(
                {
                    "dataset_name": name,
                    "dry_run": True,
                    "parameters": body["parameters"],
                    "would_create_run_id": run_id,
                    "message": f"dry run: {name} would run, nothing was started",
                }
            )
        run = _run(run_id, name, source_type, "adhoc", "cli", parameters=body["parameters"])
        self._runs[run_id] = run
        return done({**run, "message": f"{name} started"})

    def backfill(
        self, name: str, source_type: str, days: Sequence[date], body: Record
    ) -> ServerResponse:
        planned = {
            "dataset_name": name,
            "start_date": body["start_date"],
            "end_date": body["end_date"],
        }
        planned["total_runs"] = len(days)
        if body["dry_run"]:
            text = f"dry run: {len(days)} runs of {name}, nothing was started"
            return done({**planned, "dry_run": True, "message": text})
        made = []
        for day in days:
            run_id = f"{name}_{day:%Y%m%d}_000000"
            parameters = body["parameters"]
            run = _run(run_id, name, source_type, "backfill", "backfill", parameters=parameters)
            self._runs[run_id] = run
            made.append({"run_id": run_id, "date": day.isoformat(), "status": run["status"]})
        return done({**planned, "runs": made})

    def history(self, query: Mapping[str, Any]) -> list[Record]:
        wanted = {key: query[key] for key in ("source_type", "status") if query.get(key)}
        text = (query.get("dataset") or "").lower()
        found = [
            run
            for run in self._runs.values()
            if all(run[key].lower() == str(value).lower() for key, value in wanted.items())
            and text in run["dataset_name"].lower()
        ]
        return sorted(found, key=_began_at, reverse=True)

    def are_active(self, name: str) -> bool:
        return any(run["status"] in _ACTIVE for run in self._of(name))

    def last_finished(self, name: str) -> Record:
        finished = [run for run in self._of(name) if run["status"] not in _ACTIVE]
        if not finished:
            return {"last_run_at": None, "last_run_status": None}
        last = max(finished, key=_began_at)
        return {"last_run_at": _began_at(last), "last_run_status": last["status"]}

    def kill_pending(self, name: str) -> None:
        for run in self._of(name):
            if run["status"] == RunStatus.PENDING:
                _kill(run, "unregistered")

    def _stop(self, run: Record, body: Record) -> ServerResponse:
        if run["status"] not in _ACTIVE:
            return refusal(400, "DLI-807", "The server cannot stop a run that is finished")
        _kill(run, body.get("reason"))
        return done({**run, "message": f"{run['run_id']} stopped successfully"})

    def _of(self, name: str) -> list[Record]:
        return [run for run in self._runs.values() if run["dataset_name"] == name]

    def _new_id(self, name: str) -> str:
        # Two runs in one second: the later one takes the next free second, so no run is lost.
        at = datetime.now(UTC)
        while (run_id := f"{name}_{at:%Y%m%d_%H%M%S}") in self._runs:
            at += timedelta(seconds=1)
        return run_id


def in_wire_form(instant: datetime) -> str:
    """RFC 3339 in UTC with `Z`."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _began_at(run: Record) -> str:
    return str(run["started_at"] or run["created_at"])


def _kill(run: Record, reason: str | None) -> None:
    finished_at = datetime.now(UTC)
    run.update(
        status=RunStatus.KILLED.value, finished_at=in_wire_form(finished_at), stop_reason=reason
    )
    if run["started_at"]:
        started_at = datetime.fromisoformat(run["started_at"])
        run["duration_seconds"] = (finished_at - started_at).total_seconds()


def _run(
    run_id: str, name: str, source_type: str, run_type: str, triggered_by: str, **fields: Any
) -> Record:
    return {
        "run_id": run_id,
        "dataset_name": name,
        "source_type": source_type,
        "status": RunStatus.PENDING.value,
        "run_type": run_type,
        "parameters": {},
        "created_at": in_wire_form(datetime.now(UTC)),
        "started_at": None,
        "finished_at": None,
        "duration_seconds": None,
        "attempt": 1,
        "max_attempts": 1,
        "triggered_by": triggered_by,
        "backfill_id": None,
        "stop_reason": None,
        "error_message": None,
        **fields,
    }


def _samples() -> list[Record]:
    clicks, events = "iceberg.analytics.daily_clicks", "iceberg.warehouse.user_events"
    summary = "iceberg.reporting.weekly_summary"
    failed = {"status": "FAILED", "error_message": "Table iceberg.raw.weeks was not found"}
    completed, running = {"status": "COMPLETED"}, {"status": "RUNNING"}
    return [
        _sample(clicks, "code", "20240115_060000", 900, **completed),
        _sample(events, "code", "20240115_040000", 1800, **completed),
        _sample(summary, "manual", "20240108_100000", 300, **failed),
        _sample(clicks, "manual", "20240115_120000", None, "user@example.com", **running),
    ]


def _sample(
    name: str,
    source_type: str,
    stamp: str,
    seconds: int | None,
    triggered_by: str = "scheduler",
    **fields: Any,
) -> Record:
    started = datetime.strptime(stamp, "%Y%m%d_%H%M%S").replace(tzinfo=UTC)
    finished = None if seconds is None else started + timedelta(seconds=seconds)
    times = {
        "created_at": in_wire_form(started),
        "started_at": in_wire_form(started),
        "finished_at": finished and in_wire_form(finished),
        "duration_seconds": seconds,
    }
    run_type = "scheduled" if triggered_by == "scheduler" else "adhoc"
    return _run(f"{name}_{stamp}", name, source_type, run_type, triggered_by, **times, **fields)
