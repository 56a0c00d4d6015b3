"""`MetricAPI` in LOCAL mode: real specs, and real rows from the project's warehouse."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dli.api.metric import MetricAPI
from dli.exceptions import DLIValidationError, ExecutionError, MetricNotFoundError
from dli.models.common import ExecutionContext
from dli.models.state import ResultStatus
from dli.warehouse.executor import MockExecutor

NAME = "shop.sales.total"
SPEC = """
name: shop.sales.total
owner: me@example.com
team: sales
tags: [daily]
parameters:
  - {name: least, type: integer, default: 0}
metrics:
  - {name: paid, aggregation: sum, expression: amount, filters: [status = 'paid', amount > 1]}
  - {name: orders, aggregation: count, expression: "*"}
  - {name: customers, aggregation: count_distinct, expression: customer}
dimensions:
  - {name: day, type: time, expression: day}
  - {name: who, expression: UPPER(customer)}
query_statement: SELECT * FROM shop.raw.orders WHERE amount >= {{ least }} ORDER BY id
"""
ORDERS = """id,day,customer,status,amount
1,2025-01-01,ana,paid,10
2,2025-01-01,bo,paid,1
3,2025-01-01,ana,open,5
4,2025-01-02,bo,paid,20
"""


@pytest.fixture
def api(tmp_path: Path) -> MetricAPI:
    root = tmp_path / "project"
    (root / "metrics").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "data" / "orders.csv").write_text(ORDERS)
    (root / "dli.yaml").write_text("sources: [{table: shop.raw.orders, path: data/orders.csv}]")
    (root / "metrics" / f"metric.{NAME}.yaml").write_text(SPEC)
    return MetricAPI(ExecutionContext(project_path=root))


@pytest.mark.parametrize(
    ("filters", "count"),
    [({}, 1), ({"tags": ["daily"]}, 1), ({"tags": ["other"]}, 0), ({"owner": "you"}, 0)],
)
def test_every_filter_of_the_list_holds(
    api: MetricAPI, filters: dict[str, Any], count: int
) -> None:
    assert [spec.name for spec in api.list_metrics(**filters)] == [NAME] * count


def test_a_spec_or_none(api: MetricAPI) -> None:
    found = api.get(NAME)
    assert found is not None
    assert found.name == NAME
    assert api.get("shop.sales.unknown") is None


def test_a_path_replaces_the_project_of_the_context(api: MetricAPI) -> None:
    elsewhere = MetricAPI(ExecutionContext())
    assert [spec.name for spec in elsewhere.list_metrics(api.context.project_path)] == [NAME]


def test_validation(api: MetricAPI) -> None:
    assert api.validate(NAME).valid
    assert not api.validate("shop.sales.unknown").valid


def test_the_rows_of_a_metric_as_it_stands(api: MetricAPI) -> None:
    result = api.run(NAME, parameters={"least": 5}, show_sql=True)
    assert (result.status, result.row_count) == (ResultStatus.SUCCESS, 3)
    assert result.columns == ["id", "day", "customer", "status", "amount"]
    assert result.data is not None
    assert result.data[0] == {
        "id": 1,
        "day": date(2025, 1, 1),
        "customer": "ana",
        "status": "paid",
        "amount": 10,
    }
    assert "amount >= 5" in (result.sql or "")
    assert len(api.run(NAME, limit=2).data or []) == 2


def test_measures_for_each_value_of_a_dimension(api: MetricAPI) -> None:
    result = api.run(NAME, by=["day"])
    assert result.error_message is None
    assert result.data == [
        {"day": date(2025, 1, 1), "paid": 10, "orders": 3, "customers": 2},
        {"day": date(2025, 1, 2), "paid": 20, "orders": 1, "customers": 1},
    ]
    result = api.run(NAME, by=["who", "day"], metrics=["orders"])
    assert result.columns == ["who", "day", "orders"]
    assert [tuple(row.values()) for row in result.data or []] == [
        ("ANA", date(2025, 1, 1), 2),
        ("BO", date(2025, 1, 1), 1),
        ("BO", date(2025, 1, 2), 1),
    ]
    assert api.run(NAME, metrics=["customers", "paid"]).data == [{"customers": 2, "paid": 30}]


def test_names_that_are_not_declared_are_refused_with_the_close_one(api: MetricAPI) -> None:
    with pytest.raises(DLIValidationError, match="did you mean 'day'") as caught:
        api.run(NAME, by=["days"])
    assert caught.value.code.value == "DLI-204"
    with pytest.raises(DLIValidationError, match="it has paid, orders, customers"):
        api.run(NAME, metrics=["x; DROP TABLE y"])


def test_a_dry_run_and_the_rendered_sql_need_no_engine(api: MetricAPI) -> None:
    executor = MockExecutor()
    dry = MetricAPI(api.context, executor)
    result = dry.run(NAME, dry_run=True, show_sql=True)
    assert (result.status, result.data) == (ResultStatus.SUCCESS, None)
    assert result.sql == dry.render_sql(NAME, format_sql=False)
    assert "GROUP BY\n  1" in dry.render_sql(NAME, by=["day"])
    assert executor.statements == []


def test_an_executor_gets_the_query_and_its_rows_come_back(api: MetricAPI) -> None:
    executor = MockExecutor([{"n": 1}, {"n": 2}])
    result = MetricAPI(api.context, executor).run(NAME)
    assert (result.columns, result.data, result.row_count) == (["n"], [{"n": 1}, {"n": 2}], 2)
    assert executor.statements == ["SELECT * FROM shop.raw.orders WHERE amount >= 0 ORDER BY id"]


def test_without_project_and_executor_nothing_runs() -> None:
    result = MetricAPI(ExecutionContext()).run(NAME)
    assert result.status is ResultStatus.FAILURE
    assert "Executor not configured" in (result.error_message or "")


def test_sql_that_the_engine_refuses_is_a_failure(api: MetricAPI) -> None:
    rewrite(api, "shop.raw.orders", "shop.raw.missing")
    result = api.run(NAME)
    assert (result.status, result.data) == (ResultStatus.FAILURE, None)
    assert "missing" in (result.error_message or "")
    assert result.error_code == "DLI-405"


def test_data_that_cannot_be_had_is_an_error(api: MetricAPI) -> None:
    assert api.context.project_path is not None
    (api.context.project_path / "dli.yaml").write_text(
        "environments: {dev: {connection_string: 'trino://h'}}"
    )
    with pytest.raises(ExecutionError) as caught:
        api.run(NAME)
    assert caught.value.code.value == "DLI-403"


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("UPPER(customer)", "UPPER(", "dimensions: 'who': the expression is not one SQL"),
        ("UPPER(customer)", "a FROM b", "dimensions: 'who': the expression is not one SQL"),
        ("count_distinct, expression: customer", "sum, expression: '*'", "only count takes '*'"),
        ("name: customers", "name: paid", "metrics: 'paid' is declared twice"),
        ("amount > 1", "amount >", "metrics: 'paid': the expression is not one SQL"),
    ],
)
def test_validation_reads_the_expressions(api: MetricAPI, old: str, new: str, error: str) -> None:
    rewrite(api, old, new)
    (found,) = api.validate(NAME).errors
    assert found.startswith(f"metrics/metric.{NAME}.yaml:")
    assert error in found


def test_an_unknown_name_is_told_with_the_places_searched(api: MetricAPI) -> None:
    for call in (api.run, api.render_sql, api.get_tables, api.get_columns):
        with pytest.raises(MetricNotFoundError) as caught:
            call("shop.sales.unknown")
        assert caught.value.searched_paths


def test_tables_columns_and_the_connection(api: MetricAPI) -> None:
    assert api.get_tables(NAME) == ["shop.raw.orders"]
    assert api.test_connection() is True


def rewrite(api: MetricAPI, old: str, new: str) -> None:
    assert api.context.project_path is not None
    file = api.context.project_path / "metrics" / f"metric.{NAME}.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
