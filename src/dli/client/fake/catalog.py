"""Sample tables of two engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.client.fake.page import done, page
from dli.client.response import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dli.client.response import Record, ServerResponse

__all__ = ["SAMPLE_TABLES", "FakeCatalog", "search_tables", "table_info"]


class FakeCatalog:
    """The tables of one mock client."""

    def answer(self, path: Sequence[str], query: Mapping[str, Any]) -> ServerResponse:
        match path:
            case ["tables"]:
                return page("tables", _listed(query), query)
            case ["search"]:
                found = search_tables(query["keyword"], project=query.get("project"))
                return page("tables", [table_info(table) for table in found], query)
            case ["tables", ref, *rest] if table := SAMPLE_TABLES.get(ref):
                if rest == ["queries"]:
                    return done({"queries": table["sample_queries"][: query.get("limit", 5)]})
                hidden = set() if query.get("include_sample") else {"sample_data"}
                return done({key: value for key, value in table.items() if key not in hidden})
            case _:
                return refusal(404, "DLI-702", "Table not found in catalog")


def table_info(table: Record) -> Record:
    """The short form of a table, as lists show it."""
    ownership, freshness = table["ownership"], table["freshness"]
    return {
        "name": table["name"],
        "engine": table["engine"],
        "owner": ownership["owner"],
        "team": ownership["team"],
        "tags": table["tags"],
        "row_count": len(table["sample_data"]),
        "last_updated": freshness["last_updated"],
    }


def search_tables(keyword: str, *, project: str | None = None) -> list[Record]:
    """Tables with the text in name, column names, description or tags."""
    text = keyword.lower()
    return [
        table
        for table in SAMPLE_TABLES.values()
        if project in (None, _project(table))
        and any(
            text in part.lower()
            for part in (
                table["name"],
                table["description"],
                *table["tags"],
                *(column["name"] for column in table["columns"]),
            )
        )
    ]


def _listed(query: Mapping[str, Any]) -> list[Record]:
    tags = set(query.get("tag") or [])
    return [
        table_info(table)
        for table in SAMPLE_TABLES.values()
        if query.get("project") in (None, _project(table))
        and query.get("dataset") in (None, table["name"].split(".")[1])
        and query.get("owner") in (None, table["ownership"]["owner"])
        and query.get("team") in (None, table["ownership"]["team"])
        and tags <= set(table["tags"])
    ]


def _project(table: Record) -> str:
    return str(table["name"]).split(".")[0]


def _table(
    name: str,
    engine: str,
    description: str,
    *,
    owner: str,
    tags: list[str],
    columns: list[Record],
    rows: list[Record],
) -> Record:
    team = "@" + name.split(".")[1]
    query = {"title": "First rows", "sql": f"SELECT * FROM {name} LIMIT 10", "author": owner}  # noqa: S608
    return {
        "name": name,
        "engine": engine,
        "description": description,
        "tags": tags,
        "basecamp_url": f"http://mock-server/catalog/{name}",
        "ownership": {"owner": owner, "team": team, "stewards": [], "consumers": []},
        "columns": columns,
        "freshness": {
            "last_updated": "2024-01-15T06:00:00Z",
            "avg_update_lag_hours": 1.0,
            "update_frequency": "daily",
            "is_stale": False,
            "stale_threshold_hours": 24,
        },
        "quality": {
            "score": 95,
            "total_tests": 1,
            "passed_tests": 1,
            "failed_tests": 0,
            "warnings": 0,
            "recent_tests": [],
        },
        "impact": {
            "total_downstream": 0,
            "tables": [],
            "datasets": [],
            "metrics": [],
            "dashboards": [],
        },
        "sample_queries": [{**query, "run_count": 1, "last_run": "2024-01-15T06:00:00Z"}],
        "sample_data": rows,
    }


def _column(name: str, data_type: str, description: str, *, is_pii: bool = False) -> Record:
    return {
        "name": name,
        "data_type": data_type,
        "description": description,
        "is_pii": is_pii,
        "fill_rate": 1.0,
        "distinct_count": 2,
    }


SAMPLE_TABLES = {
    table["name"]: table
    for table in (
        _table(
            "my-project.analytics.users",
            "bigquery",
            "One row per user",
            owner="analytics@example.com",
            tags=["users", "pii"],
            columns=[
                _column("user_id", "STRING", "Key of the user"),
                _column("email", "STRING", "Where the user is reached", is_pii=True),
                _column("created_at", "TIMESTAMP", "When the user signed up"),
            ],
            rows=[
                {"user_id": "u1", "email": "***", "created_at": "2024-01-01T00:00:00Z"},
                {"user_id": "u2", "email": "***", "created_at": "2024-01-02T00:00:00Z"},
            ],
        ),
        _table(
            "my-project.analytics.orders",
            "bigquery",
            "One row per order",
            owner="analytics@example.com",
            tags=["orders", "daily"],
            columns=[
                _column("order_id", "STRING", "Key of the order"),
                _column("user_id", "STRING", "Who ordered"),
                _column("amount", "NUMERIC", "Value of the order"),
            ],
            rows=[
                {"order_id": "o1", "user_id": "u1", "amount": 10},
                {"order_id": "o2", "user_id": "u2", "amount": 20},
            ],
        ),
        _table(
            "my-project.warehouse.events",
            "bigquery",
            "Everything that users did",
            owner="data@example.com",
            tags=["events"],
            columns=[
                _column("event_id", "STRING", "Key of the event"),
                _column("event_type", "STRING", "What happened"),
                _column("occurred_at", "TIMESTAMP", "When it happened"),
            ],
            rows=[
                {"event_id": "e1", "event_type": "click", "occurred_at": "2024-01-15T01:00:00Z"},
                {"event_id": "e2", "event_type": "view", "occurred_at": "2024-01-15T02:00:00Z"},
            ],
        ),
        _table(
            "other-project.reporting.sales_summary",
            "trino",
            "Sales per day",
            owner="reporting@example.com",
            tags=["sales", "daily"],
            columns=[
                _column("sales_date", "DATE", "Day of the sales"),
                _column("revenue", "DECIMAL(18,2)", "Money taken"),
                _column("order_count", "BIGINT", "Orders of the day"),
            ],
            rows=[
                {"sales_date": "2024-01-14", "revenue": 30, "order_count": 2},
                {"sales_date": "2024-01-15", "revenue": 40, "order_count": 3},
            ],
        ),
    )
}
