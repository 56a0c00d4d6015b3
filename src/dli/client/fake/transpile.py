"""Sample transpile rules and metric expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dli.client.fake.page import done
from dli.client.response import refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dli.client.response import Record, ServerResponse

__all__ = ["FakeTranspile"]

_EXPRESSIONS = {
    "revenue": "SUM(amount)",
    "total_orders_from_active_customers": "COUNT(DISTINCT CASE WHEN is_active THEN order_id END)",
    "daily_active_users": "COUNT(DISTINCT user_id)",
    "conversion_rate": "COUNT(DISTINCT order_id) * 1.0 / COUNT(DISTINCT session_id)",
}


class FakeTranspile:
    """The rules of one mock client."""

    def answer(self, path: Sequence[str]) -> ServerResponse:
        match path:
            case ["rules"]:
                return done({"rules": _rules(), "version": "sample"})
            case ["metrics", name] if name in _EXPRESSIONS:
                known = {"name": name, "expression": _EXPRESSIONS[name]}
                return done({**known, "source_table": None, "description": "Sample expression"})
            case ["metrics", _]:
                return refusal(404, "DLI-102", "Metric not found")
            case _:
                return refusal(404, "DLI-201", "No such operation")


def _rules() -> list[Record]:
    tables = [
        ("raw.events", "warehouse.events_v2"),
        ("analytics.users", "analytics.users_v2"),
        ("legacy.orders", "warehouse.orders"),
    ]
    return [
        {
            "id": f"rule-{number:03}",
            "type": "table_substitution",
            "source": source,
            "target": target,
            "description": f"{source} moved to {target}",
            "enabled": True,
            "priority": 10,
        }
        for number, (source, target) in enumerate(tables, start=1)
    ]
