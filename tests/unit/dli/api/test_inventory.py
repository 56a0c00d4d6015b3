"""`CatalogAPI` on a project's own warehouse."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dli.api.catalog import CatalogAPI
from dli.api.dataset import DatasetAPI
from dli.api.quality import QualityAPI
from dli.models.catalog import TableDetail
from dli.models.common import ExecutionContext
from dli.models.state import ResultStatus

PEOPLE, ORDERS = "shop.sales.people", "shop.raw.orders"
SPEC = """
name: shop.sales.people
owner: ana@example.com
team: sales
description: Who paid
tags: [daily]
schema:
  - {name: Customer, description: full name, pii: true}
  - {name: paid}
  - {name: day, partition: true}
query_statement: |
  CREATE TABLE shop.sales.people AS
  SELECT customer, SUM(amount) AS paid, DATE '2026-02-03' AS day
  FROM shop.raw.orders GROUP BY customer
"""
METRIC = (
    "{name: shop.sales.total, owner: a, team: b, query_statement: SELECT 1 FROM shop.sales.people}"
)


@pytest.fixture
def api(tmp_path: Path) -> CatalogAPI:
    root = tmp_path / "project"
    for folder in ("datasets", "metrics"):
        (root / folder).mkdir(parents=True)
    (root / "dli.yaml").write_text("sources: [{table: shop.raw.orders, path: orders.csv}]")
    (root / "orders.csv").write_text("customer,amount,note\nana,3,\nbo,4,x\nana,5,\n,1,\n")
    (root / "datasets" / f"dataset.{PEOPLE}.yaml").write_text(SPEC)
    (root / "metrics" / "metric.shop.sales.total.yaml").write_text(METRIC)
    context = ExecutionContext(project_path=root)
    assert DatasetAPI(context).run(PEOPLE).status is ResultStatus.SUCCESS
    return CatalogAPI(context)


def detail(api: CatalogAPI, name: str, *, include_sample: bool = False) -> TableDetail:
    result = api.get(name, include_sample=include_sample)
    assert result.error_message is None
    assert isinstance(result.table, TableDetail)
    return result.table


def test_tables_and_sources_with_owner_and_rows(api: CatalogAPI) -> None:
    result = api.list_tables()
    assert [(t.name, t.engine, t.owner, t.row_count) for t in result.tables] == [
        (ORDERS, "duckdb", None, 4),
        (PEOPLE, "duckdb", "ana@example.com", 3),
    ]
    assert (result.total_count, result.has_more) == (2, False)
    cut = api.list_tables(limit=1)
    assert (len(cut.tables), cut.total_count, cut.has_more) == (1, 2, True)


@pytest.mark.parametrize(
    ("identifier", "names"),
    [
        ("shop", [ORDERS, PEOPLE]),
        ("SHOP.Sales", [PEOPLE]),
        (ORDERS, [ORDERS]),
        (f"trino.{ORDERS}", []),
        ("shop.sale", []),
    ],
)
def test_an_identifier_narrows_the_list(api: CatalogAPI, identifier: str, names: list[str]) -> None:
    assert [table.name for table in api.list_tables(identifier).tables] == names


def test_owner_team_and_tags_narrow_the_list(api: CatalogAPI) -> None:
    every: list[dict[str, Any]] = [{"owner": "ana@example.com"}, {"team": "sales"}]
    for wanted in (*every, {"tags": ["daily"]}):
        assert [table.name for table in api.list_tables("shop", **wanted).tables] == [PEOPLE]
    assert api.list_tables(owner="bo").tables == []
    assert api.list_tables(tags=["daily", "other"]).total_count == 0
    assert api.search("shop", project="other").tables == []
    assert api.search("shop", project="SHOP").total_matches == 2


def test_columns_with_what_the_spec_says_and_the_data_show(api: CatalogAPI) -> None:
    table = detail(api, PEOPLE)
    customer, paid, _ = table.columns
    assert (customer.name, customer.data_type, customer.description) == (
        "customer",
        "VARCHAR",
        "full name",
    )
    assert (customer.is_pii, paid.is_pii) == (True, False)
    assert customer.fill_rate == pytest.approx(2 / 3)
    assert (paid.fill_rate, paid.distinct_count) == (1.0, 3)
    assert (table.ownership.team, table.description, table.tags) == ("sales", "Who paid", ["daily"])
    assert table.impact.metrics == ["shop.sales.total"]
    assert table.ownership.consumers == ["b"]
    assert table.sample_data is None
    assert detail(api, ORDERS).impact.datasets == [PEOPLE]


def test_personal_data_never_shows_in_samples(api: CatalogAPI) -> None:
    rows = detail(api, PEOPLE, include_sample=True).sample_data
    assert rows is not None
    assert {row["customer"] for row in rows} == {"***"}
    assert sorted(row["paid"] for row in rows) == [1, 4, 8]


def test_files_and_the_newest_partition_tell_how_new_the_data_is(api: CatalogAPI) -> None:
    partition = datetime(2026, 2, 3, tzinfo=UTC)
    assert detail(api, PEOPLE).freshness.last_updated == partition
    root = api.context.project_path
    assert root is not None
    written_at = datetime.fromtimestamp((root / "orders.csv").stat().st_mtime, UTC)
    assert detail(api, ORDERS).freshness.last_updated == written_at
    listed = {table.name: table.last_updated for table in api.list_tables().tables}
    assert listed == {PEOPLE: partition, ORDERS: written_at}


def test_spelling_of_names_hides_nothing(api: CatalogAPI) -> None:
    root = api.context.project_path
    assert root is not None
    file = root / "datasets" / f"dataset.{PEOPLE}.yaml"
    file.write_text(SPEC.replace("name: shop.sales.people", "name: shop.sales.PEOPLE"))
    rows = detail(CatalogAPI(api.context), PEOPLE, include_sample=True).sample_data
    assert {row["customer"] for row in rows or []} == {"***"}


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("PAID", [PEOPLE]),
        ("full name", [PEOPLE]),
        ("note", [ORDERS]),
        ("daily", [PEOPLE]),
        ("%", []),
    ],
)
def test_search_looks_at_names_columns_descriptions_and_tags(
    api: CatalogAPI, word: str, names: list[str]
) -> None:
    result = api.search(word)
    assert [table.name for table in result.tables] == names
    assert (result.total_matches, result.keyword) == (len(names), word)


def test_what_cannot_be_read_hides_nothing_else(api: CatalogAPI) -> None:
    root = api.context.project_path
    assert root is not None
    with duckdb.connect(root / ".dli" / "warehouse" / "shop.duckdb") as other:
        other.execute("CREATE TABLE sales.base (a INT); CREATE VIEW sales.view AS FROM sales.base")
        other.execute("DROP TABLE sales.base")
    sources = f"[{{table: {ORDERS}, path: orders.csv}}, {{table: shop.raw.gone, path: gone.csv}}]"
    (root / "dli.yaml").write_text(f"sources: {sources}")
    fresh = CatalogAPI(api.context)
    result = fresh.list_tables()
    assert result.error_message is None
    counts = {table.name: table.row_count for table in result.tables}
    assert counts == {ORDERS: 4, PEOPLE: 3, "shop.sales.view": None}
    assert (fresh.get("shop.sales.view").error_message or "").startswith("[DLI-405]")


def test_what_goes_wrong_is_a_failure(api: CatalogAPI) -> None:
    for name in ("shop.sales.none", f"hive.{PEOPLE}"):
        result = api.get(name)
        assert result.status is ResultStatus.FAILURE
        assert "not found" in (result.error_message or "")
    root = api.context.project_path
    assert root is not None
    (root / "dli.yaml").write_text("environments: {dev: {connection_string: 'trino://h'}}")
    result_list = CatalogAPI(ExecutionContext(project_path=root)).list_tables()
    assert (result_list.error_message or "").startswith("[DLI-403]")
    alone = CatalogAPI(ExecutionContext(project_path=root.parent)).list_tables()
    assert "server_url required" in (alone.error_message or "")


def test_quality_comes_from_real_results(api: CatalogAPI) -> None:
    assert detail(api, PEOPLE).quality.score is None
    root = api.context.project_path
    assert root is not None
    file = root / "quality.yaml"
    file.write_text(
        "target: {type: dataset, name: shop.sales.people}\nmetadata: {owner: a}\ntests:\n"
        "  - {name: a, type: not_null, columns: [paid]}\n"
        "  - {name: b, type: not_null, columns: [customer]}\n"
        "  - {name: c, type: not_null, columns: [customer], severity: warn}\n"
        "  - {name: d, type: not_null, columns: [nothing]}\n"
    )
    QualityAPI(api.context).run(file)
    quality = detail(api, PEOPLE).quality
    assert (quality.score, quality.total_tests) == (25, 4)
    assert (quality.passed_tests, quality.failed_tests, quality.warnings) == (1, 2, 1)
    assert [test.status for test in quality.recent_tests] == ["pass", "fail", "warn", "fail"]
