"""Quality tests over HTTP: a registry of their specs, and runs on a real engine."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import select, update

from basecamp.routes import record
from basecamp.store import audit, table

QUALITY = "/api/v1/quality"
TABLE, METRIC = "qa.shop.orders", "qa.shop.total"
ABOUT = {"owner": "ana@example.com", "team": "sales"}
FILL = """
CREATE OR REPLACE TABLE qa.shop.orders AS
SELECT n AS id, n % 3 AS kind, CASE WHEN n > 8 THEN NULL ELSE 'a' END AS note
FROM UNNEST(SEQUENCE(1, 10)) AS t(n)
"""
TESTS: list[dict[str, Any]] = [
    {"name": "id_is_unique", "type": "unique", "columns": ["id"]},
    {"name": "note_is_there", "type": "not_null", "columns": ["note"]},
    {"name": "kind_is_known", "type": "accepted_values", "column": "kind", "values": [0, 1]},
    {"name": "not_now", "type": "row_count", "min": 100, "enabled": False},
    {"name": "few", "type": "row_count", "max": 5, "severity": "warn"},
    {
        "name": "small",
        "type": "singular",
        "sql": "SELECT * FROM {{ target }} WHERE id > {{ most }}",
        "params": {"most": 9},
    },
]
IN_A_FILE = {"name": "a", "type": "singular", "file": "a.sql"}


def spec(target: str = TABLE, kind: str = "dataset", **more: Any) -> dict[str, Any]:
    target_of = {"type": kind, "name": target}
    return {"target": target_of, "metadata": {**ABOUT, "tags": ["daily"]}, "tests": TESTS, **more}


def check(answer: Any, model: type[BaseModel], status: int = 200) -> dict[str, Any]:
    assert answer.status == status, answer.text
    model.model_validate_json(answer.text)
    body: dict[str, Any] = answer.body
    return body


@pytest.fixture(scope="module")
def shop(working_site: Any) -> Any:
    """A table and a metric, registered, with tests for the table."""
    table = {"name": TABLE, **ABOUT, "query_statement": FILL}
    metric = {"name": METRIC, **ABOUT, "query_statement": "SELECT 10 AS orders"}
    assert working_site.post("/api/v1/datasets", {"spec": table}).status == 201
    assert working_site.post("/api/v1/metrics", {"spec": metric}).status == 201
    done = working_site.post(f"/api/v1/datasets/{TABLE}/run", {})
    assert done.body["status"] == "success", done.text
    made = working_site.post(QUALITY, {"spec": spec(schedule={"cron": "0 6 * * *"})})
    assert made.status == 201, made.text
    return working_site


def statuses(result: dict[str, Any]) -> dict[str, str]:
    return {one["test_name"]: one["status"] for one in result["test_results"]}


def test_a_spec_is_registered_version_by_version(site: Any) -> None:
    made = check(site.post(QUALITY, {"spec": spec()}), record.QualitySpecRecord, 201)
    assert (made["name"], made["target_urn"], made["registered_version"]) == (
        TABLE,
        f"dataset:{TABLE}",
        1,
    )
    assert made["tests"][:2] == ["id_is_unique", "note_is_there"]
    refused = site.post(QUALITY, {"spec": spec()})
    assert (refused.status, refused.body["code"]) == (409, "DLI-201")
    changed = site.post(QUALITY, {"spec": spec(tests=TESTS[:1]), "force": True})
    assert check(changed, record.QualitySpecRecord)["registered_version"] == 2
    page = check(site.get(f"{QUALITY}/{TABLE}/versions?limit=1&offset=0"), record.VersionPage)
    assert (page["total_count"], page["versions"][0]["version"]) == (2, 2)
    assert site.get(f"{QUALITY}/qa.shop.more/versions").body["code"] == "DLI-606"
    named = site.post(QUALITY, {"spec": spec(), "name": "qa.shop.more"})
    assert check(named, record.QualitySpecRecord, 201)["name"] == "qa.shop.more"
    with site.basecamp.database.read() as tx:
        trail = audit.of_resource(tx, TABLE)
    assert [row["action"] for row in trail] == ["quality.register"] * 2


def test_registering_is_repeatable(site: Any) -> None:
    headers = {"Idempotency-Key": "k"}
    first = site.post(QUALITY, {"spec": spec()}, headers=headers)
    again = site.post(QUALITY, {"spec": spec()}, headers=headers)
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"spec": {}}, 422, "DLI-602"),
        ({"spec": spec(nix=1)}, 422, "DLI-602"),
        ({"spec": spec(tests=[{"name": "a", "type": "nix"}])}, 422, "DLI-602"),
        ({"spec": spec(tests=[{"name": "a", "type": "unique"}])}, 422, "DLI-602"),
        (
            {"spec": spec(tests=[{"name": "a", "type": "singular", "file": "a.sql"}])},
            422,
            "DLI-602",
        ),
        ({"spec": spec(tests=TESTS[:1] * 2)}, 422, "DLI-602"),
        ({"spec": spec(schedule={"cron": "61 * * * *"})}, 422, "DLI-805"),
        ({"spec": spec(), "name": "../up"}, 422, "DLI-203"),
        ({"spec": spec(), "nix": 1}, 400, "DLI-201"),
    ],
)
def test_a_spec_that_cannot_be_used_is_not_registered(
    site: Any, body: dict[str, Any], status: int, code: str
) -> None:
    answer = site.post(QUALITY, body)
    assert (answer.status, answer.body["code"]) == (status, code), answer.text
    assert site.get(QUALITY).body["total_count"] == 0


def test_a_refusal_names_places_and_repeats_nothing(site: Any) -> None:
    lacking = [TESTS[0], {"name": "secret", "type": "unique"}]
    answer = site.post(QUALITY, {"spec": spec(tests=lacking)})
    assert answer.body["errors"][0]["pointer"] == "/tests/1"
    assert "columns is missing" in answer.body["detail"]
    texts = [answer.text, site.post(QUALITY, {"spec": spec(secret=1)}).text]
    assert [text for text in texts if "secret" in text] == []


def test_tests_are_listed_by_target_and_status(site: Any) -> None:
    assert site.post(QUALITY, {"spec": spec()}).status == 201
    assert site.post(QUALITY, {"spec": spec("qa.x.m", "metric", tests=TESTS[:1])}).status == 201

    def names(query: str) -> list[tuple[str, str]]:
        page = check(site.get(f"{QUALITY}?{query}"), record.QualityPage)
        return [(one["target_name"], one["name"]) for one in page["qualities"]]

    assert len(names("")) == len(TESTS) + 1
    assert names("target_type=metric") == [("qa.x.m", "id_is_unique")]
    assert names("target=shop&status=disabled") == [(TABLE, "not_now")]
    assert names("limit=1&offset=1") == [(TABLE, "note_is_there")]
    assert site.get(f"{QUALITY}?limit=2").body["next_offset"] == 2
    assert site.get(f"{QUALITY}?status=nix").status == 422


def test_a_sent_spec_is_run(shop: Any) -> None:
    result = check(shop.post(f"{QUALITY}/run", {"spec": spec()}), record.QualityRunRecord)
    assert statuses(result) == {
        "id_is_unique": "pass",
        "note_is_there": "fail",
        "kind_is_known": "fail",
        "not_now": "skipped",
        "few": "warn",
        "small": "fail",
    }
    notes = result["test_results"][1]
    assert (notes["failed_rows"], notes["executed_on"]) == (2, "server")
    assert {row["id"] for row in notes["failed_samples"]} == {9, 10}
    assert notes["executed_at"].endswith("Z")
    other = shop.post(f"{QUALITY}/run", {"spec": spec()}).body
    assert other["execution_id"] != result["execution_id"]


def test_tests_parameters_and_haste_are_chosen(shop: Any) -> None:
    body = {"spec": spec(), "tests": ["small", "id_is_unique"], "parameters": {"most": 10}}
    result = check(shop.post(f"{QUALITY}/run", body), record.QualityRunRecord)
    assert statuses(result) == {"id_is_unique": "pass", "small": "pass"}
    quick = shop.post(f"{QUALITY}/run", {"spec": spec(), "fail_fast": True}).body
    assert list(statuses(quick).values()) == ["pass", "fail"] + ["skipped"] * 4


def test_registered_tests_are_run_alone_or_all_of_a_spec(shop: Any) -> None:
    alone = check(shop.post(f"{QUALITY}/few/run"), record.QualityRunRecord)
    assert statuses(alone) == {"few": "warn"}
    with_value = shop.post(f"{QUALITY}/small/run", {"parameters": {"most": 10}}).body
    assert statuses(with_value) == {"small": "pass"}
    whole = check(shop.post(f"{QUALITY}/{TABLE}/run", {}), record.QualityRunRecord)
    assert len(whole["test_results"]) == len(TESTS)


def test_a_name_that_several_targets_have_needs_its_target(shop: Any) -> None:
    other = spec("qa.shop.other", tests=[{"name": "few", "type": "row_count", "max": 5}])
    shop.post(QUALITY, {"spec": other, "force": True})
    refused = shop.post(f"{QUALITY}/few/run")
    assert (refused.status, refused.body["code"]) == (422, "DLI-204")
    found = shop.post(f"{QUALITY}/dataset:{TABLE}:few/run").body
    assert found["target_urn"] == f"dataset:{TABLE}"
    shop.post(QUALITY, {"spec": {**other, "tests": []}, "force": True})


def test_results_are_kept_and_shown(shop: Any) -> None:
    shop.post(f"{QUALITY}/run", {"spec": spec(), "tests": ["note_is_there"]})
    info = check(shop.get(f"{QUALITY}/note_is_there"), record.QualityRecord)
    assert (info["last_status"], info["target_name"], info["test_type"]) == (
        "fail",
        TABLE,
        "not_null",
    )
    assert (info["schedule"], info["severity"]) == ("0 6 * * *", "error")
    page = check(shop.get(f"{QUALITY}/note_is_there/history?limit=1"), record.QualityHistoryPage)
    assert page["results"][0]["finished_at"] == info["last_run"]
    assert "failed_samples" not in page["results"][0]


def test_one_test_without_a_spec(shop: Any) -> None:
    def run(test_type: str, resource: str = TABLE, **more: Any) -> dict[str, Any]:
        body = {"resource_name": resource, "test_name": "t", "test_type": test_type, **more}
        return check(shop.post(f"{QUALITY}/tests/run", body), record.TestRunRecord)

    assert run("not_null", columns=["note"])["failed_rows"] == 2
    assert run("not_null", columns=["note"], severity="warn")["status"] == "warn"
    assert (
        run("accepted_values", columns=["kind"], params={"values": ["0", "1", "2"]})["status"]
        == "pass"
    )
    assert run("row_count", params={"min": 11})["status"] == "fail"
    query = {"sql": "SELECT * FROM {{ target }} WHERE id = {{ wanted }}", "wanted": 3}
    assert run("singular", params=query)["failed_rows"] == 1
    metric = run("range_check", f"metric:{METRIC}", params={"column": "orders", "min": 11})
    assert (metric["status"], metric["failed_samples"]) == ("fail", [{"orders": 10}])


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("run", {"spec": {}}, 422, "DLI-602"),
        ("run", {"spec": spec(), "tests": ["nix"]}, 422, "DLI-204"),
        ("run", {"spec": spec(), "parameters": {"nix": 1}}, 422, "DLI-204"),
        ("run", {"spec": spec("qa.shop.none")}, 404, "DLI-603"),
        ("run", {"spec": spec("qa.shop.none", "metric")}, 404, "DLI-603"),
        ("nix/run", {}, 404, "DLI-606"),
        ("few/run", {"parameters": {"nix": 1}}, 422, "DLI-204"),
        (
            "tests/run",
            {"resource_name": TABLE, "test_name": "t", "test_type": "nix"},
            422,
            "DLI-602",
        ),
        ("tests/run", {"resource_name": TABLE, "test_name": "t"}, 400, "DLI-201"),
    ],
)
def test_what_cannot_be_run_is_refused(
    shop: Any, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = shop.post(f"{QUALITY}/{path}", body)
    assert (answer.status, answer.body["code"]) == (status, code), answer.text


def test_an_unknown_test_is_not_found(shop: Any) -> None:
    for path in ("nix", "nix/history?limit=1&offset=0"):
        answer = shop.get(f"{QUALITY}/{path}")
        assert (answer.status, answer.body["code"]) == (404, "DLI-606")


def test_a_test_that_cannot_run_is_an_error_of_its_own(shop: Any) -> None:
    tests = [
        {"name": "bad", "type": "not_null", "columns": ["nix"]},
        {"name": "lacking", "type": "unique"},
        {"name": "good", "type": "unique", "columns": ["id"]},
    ]
    result = check(
        shop.post(f"{QUALITY}/run", {"spec": spec(tests=tests)}), record.QualityRunRecord
    )
    assert statuses(result) == {"bad": "error", "lacking": "error", "good": "pass"}
    assert "nix" in result["test_results"][0]["error_message"]


def test_a_spec_with_a_schedule_runs_by_itself(working_site: Any) -> None:
    site = working_site
    name = "qa.shop.watched"
    fill = {"name": name, **ABOUT, "query_statement": f"CREATE TABLE {name} AS SELECT 3 AS n"}
    assert site.post("/api/v1/datasets", {"spec": fill}).status == 201
    assert site.post(f"/api/v1/datasets/{name}/run", {}).body["status"] == "success"
    tests = [
        {"name": "watched_few", "type": "row_count", "max": 0},
        {"name": "watched_day", "type": "singular", "sql": "SELECT '{{ ds }}' AS day"},
    ]
    # Once a year, so that it is due when the test says so and not before.
    watched = spec(name, tests=tests, schedule={"cron": "0 0 1 1 *"})
    watched["notifications"] = {"slack": {"channel": "#data"}}
    check(site.post(QUALITY, {"spec": watched}), record.QualitySpecRecord, 201)
    site.wait_until(lambda: _make_due(site, name))
    site.basecamp.quality_schedule.wake()

    def last() -> Any:
        return site.get(f"{QUALITY}/watched_few").body["last_status"]

    site.wait_until(lambda: last() == "fail")
    site.wait_until(lambda: not _is_pending(site, name))
    (result,) = site.get(f"{QUALITY}/watched_day/history").body["results"]
    assert (result["status"], result["failed_rows"]) == ("fail", 1)
    assert site.get(f"{QUALITY}/watched_few").body["schedule"] == "0 0 1 1 *"


def _is_pending(site: Any, name: str) -> bool:
    at = table.quality_schedule.c
    with site.basecamp.database.read() as tx:
        return tx.execute(select(at.pending_at).where(at.name == name)).scalar() is not None


def _make_due(site: Any, name: str) -> bool:
    """Whether the schedule is known by now; then it fires as soon as somebody looks."""
    at = table.quality_schedule.c
    with site.basecamp.database.transaction() as tx:
        past = datetime.now(UTC) - timedelta(minutes=1)
        change = update(table.quality_schedule).where(at.name == name, at.next_fire_at.is_not(None))
        return bool(tx.execute(change.values(next_fire_at=past)).rowcount)
