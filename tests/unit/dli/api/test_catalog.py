"""`CatalogAPI` on its sample tables; what goes wrong is a result and not an exception."""

from typing import Any

import pytest

from dli.api.catalog import CatalogAPI
from dli.exceptions import DLIValidationError
from dli.models.catalog import TableDetail
from dli.models.common import ExecutionContext
from dli.models.state import ExecutionMode, ResultStatus

USERS = "my-project.analytics.users"
ORDERS = "my-project.analytics.orders"
EVENTS = "my-project.warehouse.events"
SALES = "other-project.reporting.sales_summary"


@pytest.fixture
def api(mock_context: ExecutionContext) -> CatalogAPI:
    return CatalogAPI(mock_context)


@pytest.mark.parametrize(
    ("identifier", "names"),
    [
        (None, [USERS, ORDERS, EVENTS, SALES]),
        ("my-project", [USERS, ORDERS, EVENTS]),
        ("my-project.analytics", [USERS, ORDERS]),
        (USERS, [USERS]),
        (f"bigquery.{USERS}", [USERS]),
        (f"trino.{USERS}", []),
        (f"trino.{SALES}", [SALES]),
        ("nothing", []),
    ],
)
def test_an_identifier_has_one_to_four_parts(
    api: CatalogAPI, identifier: str | None, names: list[str]
) -> None:
    result = api.list_tables(identifier)
    assert [table.name for table in result.tables] == names
    assert (result.status, result.total_count) == (ResultStatus.SUCCESS, len(names))
    assert not result.has_more


def test_owner_team_and_tags_narrow_the_list(api: CatalogAPI) -> None:
    def names(**wanted: Any) -> list[str]:
        return [table.name for table in api.list_tables(**wanted).tables]

    assert names(owner="data@example.com") == [EVENTS]
    assert names(team="@reporting") == [SALES]
    assert names(tags=["daily"]) == [ORDERS, SALES]
    assert names(identifier="my-project", tags=["daily"]) == [ORDERS]
    assert names(tags=["daily", "users"]) == []
    assert api.search("daily", project="my-project").total_matches == 1


def test_more_is_said_only_when_there_is_more(api: CatalogAPI) -> None:
    cut = api.list_tables(limit=3)
    assert (len(cut.tables), cut.total_count, cut.has_more) == (3, 4, True)
    assert not api.list_tables(limit=4).has_more


@pytest.mark.parametrize(
    ("identifier", "code"),
    [("mysql.a.b.c", "DLI-705"), ("a.b.c.d.e", "DLI-703"), ("a..b", "DLI-703"), ("", "DLI-703")],
)
def test_a_wrong_identifier_is_a_failure_with_its_code_first(
    api: CatalogAPI, identifier: str, code: str
) -> None:
    result = api.list_tables(identifier)
    assert (result.status, result.tables) == (ResultStatus.FAILURE, [])
    assert (result.error_message or "").startswith(f"[{code}]")


def test_the_detail_of_a_table(api: CatalogAPI) -> None:
    result = api.get(USERS)
    assert result.status is ResultStatus.SUCCESS
    assert isinstance(result.table, TableDetail)
    assert (result.table.name, result.table.engine) == (USERS, "bigquery")
    assert result.table.pii_column_count == 1
    assert api.get(f"bigquery.{USERS}") == result
    assert result.table.sample_data is None
    with_rows = api.get(USERS, include_sample=True).table
    assert isinstance(with_rows, TableDetail)
    assert {row["email"] for row in with_rows.sample_data or []} == {"***"}


@pytest.mark.parametrize("table", ["no.such.table", f"trino.{USERS}", "users"])
def test_an_unknown_table_is_a_failure(api: CatalogAPI, table: str) -> None:
    result = api.get(table)
    assert (result.status, result.table) == (ResultStatus.FAILURE, None)
    assert "not found" in (result.error_message or "")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("USERS", [USERS, EVENTS]),
        ("email", [USERS]),
        ("Per Order", [ORDERS]),
        ("daily", [ORDERS, SALES]),
        ("nothing", []),
    ],
)
def test_search_looks_at_names_columns_descriptions_and_tags(
    api: CatalogAPI, pattern: str, names: list[str]
) -> None:
    result = api.search(pattern)
    assert [table.name for table in result.tables] == names
    assert (result.keyword, result.total_matches) == (pattern, len(names))
    assert api.search(pattern, limit=1).total_matches == len(names)


def test_arguments_that_cannot_be_meant_still_raise(api: CatalogAPI) -> None:
    for call in (
        lambda: api.list_tables(limit=0),
        lambda: api.search("x", limit=0),
        lambda: api.get(""),
    ):
        with pytest.raises(DLIValidationError, match="DLI-204"):
            call()


@pytest.mark.parametrize("mode", [ExecutionMode.LOCAL, ExecutionMode.SERVER])
def test_without_a_server_each_is_a_failure(mode: ExecutionMode) -> None:
    api = CatalogAPI(ExecutionContext(execution_mode=mode))
    for result in (api.list_tables(), api.get(USERS), api.search("x")):
        assert result.status is ResultStatus.FAILURE
        assert (result.error_message or "").startswith("[DLI-001]")
        assert "server_url required" in (result.error_message or "")


def test_a_server_that_does_not_answer_is_a_failure() -> None:
    url = "http://127.0.0.1:9"
    api = CatalogAPI(
        ExecutionContext(execution_mode=ExecutionMode.SERVER, server_url=url, timeout=30)
    )
    for result in (api.list_tables(), api.get(USERS), api.search("x")):
        assert result.status is ResultStatus.FAILURE
        assert (result.error_message or "").startswith("[DLI-501]")
