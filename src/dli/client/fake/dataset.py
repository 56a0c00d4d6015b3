"""Sample datasets and metrics, their lineage, and runs that always succeed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dli.client.fake.page import done, page, with_text
from dli.client.fake.run import in_wire_form
from dli.client.response import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dli.client.response import Record, ServerResponse

__all__ = ["FakeSpecs"]

_MISSING = {"datasets": "DLI-101", "metrics": "DLI-102"}


class FakeSpecs:
    """The registered specs of one mock client."""

    def __init__(self) -> None:
        self._specs = {
            "datasets": {spec["name"]: spec for spec in _datasets()},
            "metrics": {spec["name"]: spec for spec in _metrics()},
        }

    def answer(
        self, noun: str, method: str, path: Sequence[str], query: Mapping[str, Any], body: Record
    ) -> ServerResponse:
        match (noun, method, *path):
            case ("lineage", _, name, *rest):
                if not any(name in specs for specs in self._specs.values()):
                    return refusal(404, "DLI-101", "No such dataset or metric: not found")
                if rest == ["columns"]:
                    return done({"name": name, "columns": {}})
                return self._lineage(name, query)
            case ("sql", _, "run"):
                return done(_result("<inline>", rows_affected=0))
            case (_, "GET", name, "versions") if name in self._specs[noun]:
                kept = self._specs[noun][name]
                version = {"version": 1, "registered_by": kept["owner"], "spec_hash": "mock"}
                return page("versions", [{**version, "created_at": kept["created_at"]}], query)
            case (_, "GET"):
                return page(noun, self._list(noun, query), query)
            case (_, "POST"):
                return self._register(noun, body)
            case (_, _, name, *rest) if name in self._specs[noun]:
                if rest == ["run"]:
                    return done(_run_result(noun, name))
                return done(self._specs[noun][name])
            case _:
                return refusal(404, _MISSING[noun], f"No such {noun[:-1]}: not found")

    def _list(self, noun: str, query: Mapping[str, Any]) -> list[Record]:
        found = [
            spec
            for spec in self._specs[noun].values()
            if query.get("tag") in (None, *spec["tags"])
            and query.get("owner") in (None, spec["owner"])
        ]
        return with_text(found, ("name", "description"), query.get("search"))

    def _register(self, noun: str, body: Record) -> ServerResponse:
        spec = body["spec"]
        name = spec.get("name")
        if not name:
            return refusal(422, "DLI-203", "The spec has no name")
        if name in self._specs[noun] and not body["force"]:
            return refusal(409, "DLI-201", f"A {noun[:-1]} of this name exists; use force")
        now = in_wire_form(datetime.now(UTC))
        known = {"owner": "", "team": "", "description": "", "tags": []}
        self._specs[noun][name] = {**known, **spec, "created_at": now, "updated_at": now}
        return done(self._specs[noun][name])

    def _lineage(self, name: str, query: Mapping[str, Any]) -> ServerResponse:
        known = {**self._specs["datasets"], **self._specs["metrics"]}
        direction, depth = query.get("direction", "both"), query.get("depth", -1)
        upstream = known[name].get("depends_on", [])
        downstream = [spec["name"] for spec in known.values() if name in spec.get("depends_on", [])]
        upstream = upstream if direction != "downstream" and depth != 0 else []
        downstream = downstream if direction != "upstream" and depth != 0 else []
        edges = [{"source": other, "target": name, "edge_type": "direct"} for other in upstream]
        edges += [{"source": name, "target": other, "edge_type": "direct"} for other in downstream]
        return done(
            {
                "root": _node(known[name], 0),
                "nodes": [_node(known[n], -1) for n in upstream if n in known]
                + [_node(known[n], 1) for n in downstream],
                "edges": edges,
                "direction": direction,
                "max_depth": depth,
                "total_upstream": len(upstream),
                "total_downstream": len(downstream),
            }
        )


def _node(spec: Record, depth: int) -> Record:
    kept = ("name", "type", "owner", "team", "description", "tags")
    return {**{key: spec.get(key) for key in kept}, "depth": depth}


def _run_result(noun: str, name: str) -> Record:
    if noun == "metrics":
        return _result(name, data=[], columns=[], row_count=0)
    return _result(name, rows_affected=0)


def _result(name: str, **counted: Any) -> Record:
    now = in_wire_form(datetime.now(UTC))
    return {
        "name": name,
        "status": "success",
        "started_at": now,
        "ended_at": now,
        "duration_ms": 0,
        "sql": None,
        "error_message": None,
        **counted,
    }


def _spec(kind: str, name: str, owner: str, team: str, text: str, **fields: Any) -> Record:
    return {
        "name": name,
        "owner": owner,
        "team": team,
        "type": kind,
        "query_type": "DML" if kind == "Dataset" else "SELECT",
        "description": text,
        "created_at": "2024-01-01T00:00:00Z",
        "updated_at": "2024-01-01T00:00:00Z",
        **fields,
    }


def _datasets() -> list[Record]:
    events = "iceberg.warehouse.user_events"
    return [
        _spec(
            "Dataset",
            "iceberg.analytics.daily_clicks",
            "analytics@example.com",
            "@analytics",
            "Clicks per day",
            tags=["analytics", "daily"],
            domains=["web"],
            depends_on=[events],
        ),
        _spec(
            "Dataset",
            events,
            "data@example.com",
            "@data-eng",
            "Events of users",
            tags=["events"],
            domains=["web"],
            depends_on=[],
        ),
    ]


def _metrics() -> list[Record]:
    return [
        _spec(
            "Metric",
            "iceberg.reporting.user_summary",
            "reporting@example.com",
            "@reporting",
            "Users in numbers",
            tags=["reporting", "users"],
            domains=["web"],
            depends_on=[],
        ),
        _spec(
            "Metric",
            "iceberg.analytics.revenue_daily",
            "analytics@example.com",
            "@analytics",
            "Revenue per day",
            tags=["revenue", "daily"],
            domains=["sales"],
            depends_on=[],
        ),
    ]
