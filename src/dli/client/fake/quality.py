"""Sample quality tests, all of which pass."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dli.client.fake.page import done, page
from dli.client.fake.run import in_wire_form
from dli.client.response import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dli.client.response import Record, ServerResponse

__all__ = ["SAMPLE_QUALITIES", "FakeQuality"]

_CLICKS, _EVENTS = "iceberg.analytics.daily_clicks", "iceberg.warehouse.user_events"


def _quality(name: str, target: str, test_type: str, severity: str) -> Record:
    return {
        "name": name,
        "target_urn": f"dataset:{target}",
        "target_type": "dataset",
        "target_name": target,
        "test_type": test_type,
        "status": "active",
        "severity": severity,
    }


SAMPLE_QUALITIES = (
    _quality("pk_unique", _CLICKS, "unique", "error"),
    _quality("not_null_user_id", _CLICKS, "not_null", "error"),
    _quality("valid_country_code", _CLICKS, "accepted_values", "warn"),
    _quality("unique_event_id", _EVENTS, "unique", "error"),
)


class FakeQuality:
    """The quality tests of one mock client."""

    def answer(
        self, method: str, path: Sequence[str], query: Mapping[str, Any], body: Record
    ) -> ServerResponse:
        match (method, *path):
            case ("GET",):
                return page("qualities", _matching(query), query)
            case ("POST", "tests", "run"):
                return done(
                    _passed(body["test_name"], body["test_type"], body["severity"])
                    | {"resource_name": body["resource_name"]}
                )
            case ("POST", "run"):
                return _run(body)
            case ("POST",):
                return _registered(body)
            case ("POST", name, "run"):
                return _run_sample(name)
            case ("GET", _, "versions"):
                return _unknown()
            case ("GET", name, "history"):
                return page("results", [], query) if _sample(name) else _unknown()
            case ("GET", name):
                found = _sample(name)
                return done(found) if found else _unknown()
            case _:
                return refusal(405, "DLI-201", "No such operation")


def _unknown() -> ServerResponse:
    return refusal(404, "DLI-606", "Quality not found")


def _sample(name: str) -> Record | None:
    return next((quality for quality in SAMPLE_QUALITIES if quality["name"] == name), None)


def _registered(body: Record) -> ServerResponse:
    target = body["spec"].get("target", {})
    urn = f"{target.get('type', 'dataset')}:{target.get('name', '')}"
    return done({"name": body.get("name") or target.get("name", ""), "target_urn": urn})


def _run_sample(name: str) -> ServerResponse:
    quality = _sample(name)
    if quality is None:
        return _unknown()
    test = {"name": name, "type": quality["test_type"], "severity": quality["severity"]}
    target = {"type": quality["target_type"], "name": quality["target_name"]}
    return _run({"spec": {"target": target, "tests": [test]}})


def _matching(query: Mapping[str, Any]) -> list[Record]:
    return [
        quality
        for quality in SAMPLE_QUALITIES
        if query.get("target_type") in (None, quality["target_type"])
        and query.get("status") in (None, quality["status"])
        and (query.get("target") or "") in quality["target_name"]
    ]


def _run(body: Record) -> ServerResponse:
    spec = body["spec"]
    known = {test.get("name"): test for test in spec.get("tests", [])}
    wanted = body.get("tests") or list(known)
    if not set(wanted) <= set(known):
        return refusal(422, "DLI-204", "tests names a test that the spec does not have")
    now = in_wire_form(datetime.now(UTC))
    target = spec.get("target", {})
    results = [
        _passed(name, known[name].get("type"), known[name].get("severity", "error"))
        | {"resource_name": target.get("name", "")}
        for name in wanted
    ]
    return done(
        {
            "target_urn": f"{target.get('type', 'dataset')}:{target.get('name', '')}",
            "execution_mode": "mock",
            "execution_id": None,
            "started_at": now,
            "finished_at": now,
            "test_results": results,
        }
    )


def _passed(name: str, test_type: str | None, severity: str) -> Record:
    return {
        "test_name": name,
        "test_type": test_type,
        "severity": severity,
        "status": "pass",
        "failed_rows": 0,
        "failed_samples": [],
        "execution_time_ms": 0,
        "executed_at": in_wire_form(datetime.now(UTC)),
        "error_message": None,
        "executed_on": "server",
        "rendered_sql": None,
    }
