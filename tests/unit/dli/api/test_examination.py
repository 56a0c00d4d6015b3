"""Quality tests of every kind, run on a real warehouse or on an executor."""

from pathlib import Path
from typing import Any

import pytest

from dli.api.dataset import DatasetAPI
from dli.api.quality import QualityAPI
from dli.exceptions import (
    DLIValidationError,
    ExecutionError,
    QualityTargetNotFoundError,
)
from dli.models.common import ExecutionContext
from dli.models.dq import DqStatus
from dli.warehouse.executor import MockExecutor

HEAD = """
target: {type: dataset, name: shop.raw.orders}
metadata: {owner: me@example.com}
tests:
"""
ORDERS = """id,day,customer,status,amount,note
1,2025-01-01,ana,paid,10,
2,2025-01-01,bo,paid,-5,x
2,2025-01-02,,odd,20,y
4,2025-01-03,cy,open,7,it's
"""
DLI_YAML = """
sources:
  - {table: shop.raw.orders, path: data/orders.csv}
  - {table: shop.raw.customers, path: data/customers.csv}
"""
METRIC = """
name: shop.sales.total
owner: me@example.com
team: sales
parameters: [{name: least, type: integer, default: 0}]
query_statement: |
  SELECT status, SUM(amount) AS total FROM shop.raw.orders
  WHERE amount >= {{ least }} GROUP BY status;
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for folder in ("data", "quality", "metrics"):
        (root / folder).mkdir(parents=True)
    (root / "dli.yaml").write_text(DLI_YAML)
    (root / "data" / "orders.csv").write_text(ORDERS)
    (root / "data" / "customers.csv").write_text("name\nana\nbo\n")
    (root / "metrics" / "metric.shop.sales.total.yaml").write_text(METRIC)
    return root


@pytest.fixture
def api(root: Path) -> QualityAPI:
    return QualityAPI(ExecutionContext(project_path=root))


def written(api: QualityAPI, *tests: str, head: str = HEAD) -> Path:
    assert api.context.project_path is not None
    file = api.context.project_path / "quality" / "quality.shop.raw.orders.yaml"
    file.write_text(head + "".join(f"  - {{name: t{n}, {test}}}\n" for n, test in enumerate(tests)))
    return file


def one(api: QualityAPI, test: str, **options: Any) -> dict[str, Any]:
    (result,) = api.run(written(api, test), **options).test_results
    return result


@pytest.mark.parametrize(
    ("test", "failed_rows", "ids"),
    [
        ("type: not_null, columns: [id, status]", 0, []),
        ("type: not_null, columns: [id, customer]", 1, [2]),
        ("type: not_null, column: note", 1, [1]),
        ("type: unique, columns: [id]", 1, [2]),
        ("type: unique, columns: [id, day]", 0, []),
        ("type: accepted_values, column: status, values: [paid, open]", 1, [2]),
        ("type: accepted_values, column: customer, values: [ana, bo, cy]", 0, []),
        ("type: accepted_values, column: id, values: [1, 2]", 1, [4]),
        ("type: accepted_values, column: note, values: ['it''s', x, y]", 0, []),
        (
            "type: accepted_values, column: customer, "  # noqa: ISC004 - one text
            "values_query: SELECT name FROM shop.raw.customers",
            1,
            [4],
        ),
        ("type: relationships, column: customer, to: shop.raw.customers, to_column: name", 1, [4]),
        ("type: range_check, column: amount, min: 0", 1, [2]),
        ("type: range_check, column: amount, min: -5, max: 20", 0, []),
        ("type: range_check, column: amount", 0, []),
        ("type: row_count, min: 4, max: 4", 0, []),
        ("type: row_count", 0, []),
        ("type: singular, sql: SELECT id FROM {{ target }} WHERE amount > 9", 2, [1, 2]),
        (
            "type: singular, params: {least: 9}, "  # noqa: ISC004 - one text
            "sql: SELECT id FROM {{ target }} WHERE amount > {{ least }}; -- much",
            2,
            [1, 2],
        ),
    ],
)
def test_every_kind_finds_the_failing_rows(
    api: QualityAPI, test: str, failed_rows: int, ids: list[int]
) -> None:
    if "sql: " in test or "values_query: " in test:
        key, _, sql = test.partition("sql: ") if "sql: " in test else test.partition("query: ")
        key += "sql: " if "sql: " in test else "query: "
        test = f'{key}"{sql}"'
    result = one(api, test)
    assert result["error_message"] is None
    assert result["failed_rows"] == failed_rows
    assert result["status"] == ("fail" if failed_rows else "pass")
    assert sorted(row["id"] for row in result["failed_samples"]) == ids


def test_a_count_outside_of_its_bounds_is_one_failing_row(api: QualityAPI) -> None:
    for bounds in ("min: 5", "max: 3"):
        result = one(api, f"type: row_count, {bounds}")
        assert (result["status"], result["failed_rows"]) == ("fail", 1)
        assert result["failed_samples"] == [{"row_count": 4}]


def test_samples_are_json_values_and_at_most_a_hundred(api: QualityAPI, root: Path) -> None:
    (root / "data" / "orders.csv").write_text(
        "id,day,customer,status,amount,note\n" + "1,2025-01-01,,paid,1,\n" * 250
    )
    result = one(api, "type: not_null, column: customer")
    assert result["failed_rows"] == 250
    assert len(result["failed_samples"]) == 100
    assert result["failed_samples"][0]["day"] == "2025-01-01"


def test_a_warning_never_fails_and_a_disabled_test_never_runs(api: QualityAPI) -> None:
    result = api.run(
        written(
            api,
            "type: unique, columns: [id], severity: warn",
            "type: unique, columns: [nothing], enabled: false",
        )
    )
    assert [entry["status"] for entry in result.test_results] == ["warn", "skipped"]
    assert (result.status, result.failed_count) == (DqStatus.WARN, 0)


def test_fail_fast_skips_what_comes_after_the_first_failure(api: QualityAPI) -> None:
    file = written(
        api,
        "type: unique, columns: [id], severity: warn",
        "type: range_check, column: amount, min: 0",
        "type: not_null, columns: [id]",
    )
    statuses = [entry["status"] for entry in api.run(file, fail_fast=True).test_results]
    assert statuses == ["warn", "fail", "skipped"]
    assert [entry["status"] for entry in api.run(file).test_results] == ["warn", "fail", "pass"]
    (only,) = api.run(file, tests=["t2"]).test_results
    assert (only["test_name"], only["status"]) == ("t2", "pass")


def test_a_test_that_cannot_run_spoils_no_other(api: QualityAPI) -> None:
    result = api.run(
        written(
            api,
            "type: not_null, columns: [id]",
            "type: not_null, columns: [nothing]",
            "type: accepted_values, column: id, values: [many]",
            "type: range_check, column: amount, min: 0",
            'type: singular, sql: "DELETE FROM shop.raw.orders"',
            "type: singular, file: none.sql",
            "type: relationships, column: id",
            'type: singular, sql: "SELECT {{ what }}"',
        )
    )
    statuses = [entry["status"] for entry in result.test_results]
    assert statuses == ["pass", "error", "error", "fail", "error", "error", "error", "error"]
    messages = [entry["error_message"] or "" for entry in result.test_results]
    assert "nothing" in messages[1]
    assert messages[4:7] == [
        "sql:1: a query is needed",
        "file: cannot be read: No such file or directory",
        "to is missing; to_column is missing",
    ]
    assert "what" in messages[7] or "undefined" in messages[7]


def test_sql_from_a_file_stays_inside_of_the_project(api: QualityAPI, root: Path) -> None:
    (root / "quality" / "low.sql").write_text("SELECT * FROM {{ target }} WHERE amount < 0")
    assert one(api, "type: singular, file: low.sql")["failed_rows"] == 1
    (root.parent / "out.sql").write_text("SELECT 1")
    result = one(api, "type: singular, file: ../../out.sql")
    assert result["error_message"] == "file: leads out of the project"


def test_parameters_are_those_that_the_tests_declare(api: QualityAPI) -> None:
    test = (
        "type: singular, params: {least: 100, who: x}, "
        "sql: \"SELECT * FROM {{ target }} WHERE amount > {{ least }} AND day = DATE '{{ ds }}'\""
    )
    given = {"least": 1, "ds": "2025-01-02"}
    assert one(api, test, parameters=given)["failed_rows"] == 1
    assert one(api, test, parameters={"ds": "2025-01-02"})["failed_rows"] == 0
    with pytest.raises(DLIValidationError, match="declared: least, who") as caught:
        one(api, test, parameters={"other": 1})
    assert caught.value.code.value == "DLI-204"
    quoted = test.replace("{{ least }}", "{{ who }}")
    result = one(api, quoted, parameters={"who": "0 OR 1 = 1"})
    assert "structure" in result["error_message"]


def test_a_metric_is_tested_on_its_rows(api: QualityAPI) -> None:
    head = HEAD.replace("dataset, name: shop.raw.orders", "metric, name: shop.sales.total")
    file = written(
        api,
        "type: range_check, column: total, min: 6",
        'type: singular, sql: "SELECT * FROM {{ target }} WHERE total > 9"',
        "type: unique, columns: [status]",
        head=head,
    )
    result = api.run(file)
    assert [entry["error_message"] for entry in result.test_results] == [None, None, None]
    assert [entry["failed_rows"] for entry in result.test_results] == [0, 2, 0]
    assert result.target_urn == "metric:shop.sales.total"
    result = api.run(file, parameters={"least": -10})
    assert [entry["failed_rows"] for entry in result.test_results] == [1, 1, 0]


def test_an_unknown_target_is_told(api: QualityAPI) -> None:
    for target in ("dataset, name: shop.raw.none", "metric, name: shop.sales.none"):
        head = HEAD.replace("dataset, name: shop.raw.orders", target)
        with pytest.raises(QualityTargetNotFoundError) as caught:
            api.run(written(api, "type: row_count, min: 1", head=head))
        assert caught.value.target_urn == target.replace(", name: ", ":")


def test_a_dataset_that_has_not_run_yet_is_an_error_of_each_test(
    api: QualityAPI, root: Path
) -> None:
    (root / "datasets").mkdir()
    (root / "datasets" / "dataset.shop.sales.later.yaml").write_text(
        "{name: shop.sales.later, owner: a, team: b, query_statement: SELECT 1}"
    )
    head = HEAD.replace("shop.raw.orders", "shop.sales.later")
    (entry,) = api.run(written(api, "type: row_count, min: 1", head=head)).test_results
    assert entry["status"] == "error"
    assert "does not exist" in entry["error_message"]


def test_row_wise_tests_share_one_scan(api: QualityAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    from dli.warehouse.reader import Reader

    rows = Reader.rows

    def counting(self: Reader, sql: str, **options: Any) -> Any:
        asked.append(sql)
        return rows(self, sql, **options)

    monkeypatch.setattr(Reader, "rows", counting)
    result = api.run(
        written(
            api,
            "type: not_null, columns: [id]",
            "type: accepted_values, column: status, values: [paid, open, odd]",
            "type: range_check, column: amount, min: -5",
            "type: row_count, min: 1",
        )
    )
    assert result.status is DqStatus.PASS
    assert len(asked) == 1


def test_a_table_of_a_dataset_after_its_run(api: QualityAPI) -> None:
    made = "CREATE TABLE shop.tmp.t AS SELECT id FROM shop.raw.orders"
    assert DatasetAPI(api.context).run_sql(made).error_message is None
    head = HEAD.replace("shop.raw.orders", "shop.tmp.t")
    result = api.run(written(api, "type: unique, columns: [id]", head=head))
    assert result.test_results[0]["failed_samples"] == [{"id": 2, "duplicates": 2}]


def test_an_executor_gets_one_query_of_failing_rows_per_test(root: Path) -> None:
    executor = MockExecutor([{"id": 1}] * 120)
    api = QualityAPI(ExecutionContext(project_path=root), executor)
    result = api.run(
        written(
            api,
            "type: not_null, columns: [id]",
            "type: accepted_values, column: id, values: [1], severity: warn",
        )
    )
    assert [entry["status"] for entry in result.test_results] == ["fail", "warn"]
    assert result.test_results[0]["failed_rows"] == 120
    assert len(result.test_results[0]["failed_samples"]) == 100
    assert executor.statements == [
        'SELECT * FROM "shop"."raw"."orders" t WHERE t."id" IS NULL',
        """SELECT * FROM "shop"."raw"."orders" t WHERE t."id" IS NOT NULL AND """  # noqa: ISC004
        """CAST(t."id" AS VARCHAR) NOT IN ('1')""",
    ]
    passing = QualityAPI(ExecutionContext(project_path=root), MockExecutor())
    assert passing.run(written(api, "type: row_count, min: 1")).status is DqStatus.PASS


def test_an_engine_that_is_not_there_is_no_result(api: QualityAPI, root: Path) -> None:
    (root / "dli.yaml").write_text("environments: {dev: {connection_string: 'trino://h'}}")
    with pytest.raises(ExecutionError) as caught:
        one(api, "type: row_count, min: 1")
    assert caught.value.code.value == "DLI-403"


def test_tests_of_the_project_are_listed(api: QualityAPI, root: Path) -> None:
    written(api, "type: unique, columns: [id]", "type: row_count, min: 1, enabled: false")
    head = HEAD.replace("dataset, name: shop.raw.orders", "metric, name: shop.sales.total")
    (root / "metrics" / "quality.shop.sales.total.yaml").write_text(
        f"schedule: {{cron: '0 6 * * *'}}\n{head}"
        "  - {name: big, type: row_count, min: 1, severity: warn, description: enough}\n"
    )
    (root / "quality" / "quality.broken.yaml").write_text("tests: [")
    found = api.list_qualities()
    assert [info.name for info in found] == ["big", "t0", "t1"]
    assert (found[0].schedule, found[0].severity.value) == ("0 6 * * *", "warn")
    assert [info.name for info in api.list_qualities(target_type="metric")] == ["big"]
    assert [info.name for info in api.list_qualities(status="disabled")] == ["t1"]
    assert [info.name for info in api.list_qualities(target_name="orders")] == ["t0", "t1"]
    info = api.get("big")
    assert info is not None
    assert (info.description, info.target_urn) == ("enough", "metric:shop.sales.total")
    assert api.get("nothing") is None


def test_results_are_kept_without_samples(api: QualityAPI, root: Path) -> None:
    file = written(api, "type: unique, columns: [id]", "type: row_count, min: 1")
    for _ in range(22):
        api.run(file, tests=["t0"])
    api.run(file, tests=["t1"])
    history = api.get_history("t0")
    assert len(history) == 19
    assert {(one["status"], one["failed_rows"]) for one in history} == {("fail", 1)}
    assert history == sorted(history, key=lambda one: one["finished_at"], reverse=True)
    found = {info.name: info for info in api.list_qualities()}
    assert (found["t0"].last_status, found["t1"].last_status) == (DqStatus.FAIL, DqStatus.PASS)
    assert found["t0"].last_run is not None
    kept = "".join(path.read_text() for path in (root / ".dli" / "quality").rglob("*.json"))
    assert "duplicates" not in kept
    assert api.get_history("nothing") == []


def test_what_cannot_be_kept_stops_no_run(api: QualityAPI, root: Path) -> None:
    assert one(api, "type: row_count, min: 1")["status"] == "pass"
    folder = root / ".dli" / "quality"
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
    folder.write_text("in the way")
    assert one(api, "type: row_count, min: 1")["status"] == "pass"
    assert api.list_qualities()[0].last_status is None
