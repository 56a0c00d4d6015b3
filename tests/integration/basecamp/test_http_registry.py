"""The routes of datasets and metrics answer what the contract says, on a real store."""

from typing import Any

import pytest
from pydantic import BaseModel

from basecamp.engines.base import CheckResult
from basecamp.routes import record

DATASETS, METRICS = "/api/v1/datasets", "/api/v1/metrics"
DAILY = "shop.sales.daily"
FIELDS = {"owner": "ana@example.com", "team": "sales", "query_statement": "SELECT 1"}


def dataset(name: str = DAILY, **fields: Any) -> dict[str, Any]:
    return {"name": name, **FIELDS, **fields}


def put(site: Any, spec: dict[str, Any], route: str = DATASETS, **fields: Any) -> Any:
    return site.post(route, {"spec": spec, **fields})


def check(answer: Any, status: int, model: type[BaseModel]) -> dict[str, Any]:
    assert answer.status == status, answer.text
    model.model_validate_json(answer.text)
    body: dict[str, Any] = answer.body
    return body


def names(site: Any, query: str, route: str = DATASETS) -> list[str]:
    model = record.DatasetPage if route == DATASETS else record.MetricPage
    body = check(site.get(f"{route}?{query}"), 200, model)
    return [one["name"] for one in body[route.rpartition("/")[2]]]


def test_a_registered_dataset_is_shown_with_all_its_keys(site: Any) -> None:
    made = check(put(site, dataset(tags=["daily"])), 201, record.RegisteredSpecRecord)
    shown = check(site.get(f"{DATASETS}/{DAILY}"), 200, record.RegisteredSpecRecord)
    assert shown == made
    assert (shown["query_statement"], shown["tags"]) == ("SELECT 1", ["daily"])
    assert (shown["registered_version"], shown["registered_by"]) == (1, "local")
    assert shown["created_at"] == shown["updated_at"]


def test_replacing_needs_force_and_makes_a_version_when_something_changed(site: Any) -> None:
    put(site, dataset())
    refused = put(site, dataset(description="new"))
    assert (refused.status, refused.body["code"]) == (409, "DLI-201")
    assert put(site, dataset(), force=True).body["registered_version"] == 1
    changed = check(
        put(site, dataset(description="new"), force=True), 200, record.RegisteredSpecRecord
    )
    assert (changed["registered_version"], changed["description"]) == (2, "new")
    assert changed["created_at"] < changed["updated_at"]
    page = check(site.get(f"{DATASETS}/{DAILY}/versions"), 200, record.VersionPage)
    assert [one["version"] for one in page["versions"]] == [2, 1]
    assert len({one["spec_hash"] for one in page["versions"]}) == 2
    first = site.get(f"{DATASETS}/{DAILY}/versions?limit=1").body
    assert (first["total_count"], first["next_offset"]) == (2, 1)
    rest = site.get(f"{DATASETS}/{DAILY}/versions?limit=1&offset=1").body
    assert [one["version"] for one in rest["versions"]] == [1]


def test_a_repeated_request_is_answered_as_the_first_time(site: Any) -> None:
    key = {"Idempotency-Key": "k1"}
    first = site.post(DATASETS, {"spec": dataset()}, headers=key)
    again = site.post(DATASETS, {"spec": dataset()}, headers=key)
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("route", [DATASETS, METRICS])
def test_lists_are_narrowed_by_every_parameter(site: Any, route: str) -> None:
    put(site, dataset("a.b.one", tags=["daily", "money"], domains=["sales"]), route)
    put(site, dataset("a.b.two", tags=["daily"], team="web", description="What was CLICKED"), route)
    put(site, dataset("a.b.three", owner="bo@example.com"), route)
    assert names(site, "", route) == ["a.b.one", "a.b.three", "a.b.two"]
    assert names(site, "tag=daily", route) == ["a.b.one", "a.b.two"]
    assert names(site, "tag=daily&tag=money", route) == ["a.b.one"]
    assert names(site, "tag=DAILY", route) == []
    assert names(site, "owner=bo@example.com", route) == ["a.b.three"]
    assert names(site, "team=web", route) == ["a.b.two"]
    assert names(site, "domain=sales", route) == ["a.b.one"]
    assert names(site, "search=clicked", route) == ["a.b.two"]
    assert names(site, "search=B.T", route) == ["a.b.three", "a.b.two"]
    assert names(site, "search=%25", route) == []
    assert names(site, "limit=1&offset=1", route) == ["a.b.three"]
    assert site.get(f"{route}?limit=0").status == 422
    assert site.get(f"{route}?other=1").status == 400
    assert site.get(f"{route}?owner=a&owner=b").status == 400


def test_a_workflow_makes_its_dataset_known(site: Any) -> None:
    site.register()
    shown = check(site.get(f"{DATASETS}/{DAILY}"), 200, record.RegisteredSpecRecord)
    assert (shown["registered_version"], shown["registered_by"]) == (None, None)
    assert names(site, "") == [DAILY]
    assert (
        check(site.get(f"{DATASETS}/{DAILY}/versions"), 200, record.VersionPage)["versions"] == []
    )


def test_a_registered_dataset_is_scheduled_without_sending_it_again(site: Any) -> None:
    put(site, dataset(description="from the registry"))
    answer = site.post("/api/v1/workflows/register", {"dataset_name": DAILY, "cron": "0 6 * * *"})
    assert answer.status == 201, answer.text
    assert answer.body["description"] == "from the registry"
    assert site.get(f"{DATASETS}/{DAILY}").body["registered_version"] == 1
    assert names(site, "") == [DAILY]


def test_what_git_has_published_goes_before_and_is_not_changed_here(site: Any) -> None:
    put(site, dataset(description="registered"))
    published = site.post("/api/v1/workflows/publish", {"specs": [dataset(description="git")]})
    assert published.status == 200, published.text
    assert site.get(f"{DATASETS}/{DAILY}").body["description"] == "git"
    assert names(site, "") == [DAILY]
    refused = put(site, dataset(), force=True)
    assert (refused.status, refused.body["code"]) == (403, "DLI-803")


def test_metrics_have_a_registry_of_their_own(site: Any) -> None:
    total = dataset(
        "shop.sales.total", metrics=[{"name": "paid", "aggregation": "sum", "expression": "amount"}]
    )
    made = check(put(site, total, METRICS), 201, record.RegisteredSpecRecord)
    assert (made["type"], made["metrics"][0]["name"]) == ("Metric", "paid")
    assert names(site, "", METRICS) == ["shop.sales.total"]
    assert names(site, "") == []
    check(site.get(f"{METRICS}/shop.sales.total"), 200, record.RegisteredSpecRecord)
    assert put(site, total, METRICS).status == 409
    assert put(site, {**total, "tags": ["daily"]}, METRICS, force=True).status == 200
    versions = f"{METRICS}/shop.sales.total/versions"
    page = check(site.get(f"{versions}?limit=1&offset=1"), 200, record.VersionPage)
    assert ([one["version"] for one in page["versions"]], page["total_count"]) == ([1], 2)


@pytest.mark.parametrize(("route", "code"), [(DATASETS, "DLI-101"), (METRICS, "DLI-102")])
def test_an_unknown_name(site: Any, route: str, code: str) -> None:
    for path in (f"{route}/a.b", f"{route}/a.b/versions", f"{route}/b%20d"):
        answer = site.get(path)
        assert (answer.status, answer.body["code"]) == (404, code)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"name": DAILY}, "DLI-203"),
        (dataset("one"), "DLI-203"),
        (dataset(type="Metric"), "DLI-203"),
        (dataset(query_file="x.sql", query_statement=None), "DLI-203"),
    ],
)
def test_a_spec_that_cannot_be_kept(site: Any, spec: dict[str, Any], code: str) -> None:
    answer = put(site, spec)
    assert (answer.status, answer.body["code"]) == (422, code)
    assert names(site, "") == []


def test_sql_that_cannot_be_used(site: Any) -> None:
    site.engine.answer = CheckResult(ok=False, code="DLI-202", message="no SQL")
    answer = put(site, dataset())
    assert (answer.status, answer.body["code"]) == (422, "DLI-202")
