"""A dataset's statements: order, parameters, and values that cannot change the SQL around them."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

from dli.exceptions import DLIValidationError
from dli.models.dataset import DatasetSpec
from dli.models.metric import MetricSpec
from dli.models.spec import ParameterType, QueryParameter
from dli.specs.dataset import Statement, render_dataset
from dli.specs.metric import render_metric
from dli.specs.parser import dataset_from_mapping
from dli.specs.template import RenderContext

CONTEXT = RenderContext(date(2025, 1, 5))


def dataset(query: str | None = "SELECT 1", dialect: str = "duckdb", **keys: Any) -> DatasetSpec:
    data = {"name": "a.b.c", "owner": "me", "team": "t", "execution": {"dialect": dialect}, **keys}
    return dataset_from_mapping(data if query is None else {**data, "query_statement": query})[0]


def main_sql(spec: DatasetSpec, **given: Any) -> str:
    (statement,) = render_dataset(spec, CONTEXT, given)
    return statement.sql


def refusal(spec: DatasetSpec, **given: Any) -> DLIValidationError:
    with pytest.raises(DLIValidationError) as caught:
        render_dataset(spec, CONTEXT, given)
    return caught.value


def test_pre_main_and_post_come_in_order() -> None:
    spec = dataset(
        "INSERT INTO t SELECT DATE '{{ ds }}'",
        pre_statements=[{"name": "clean", "sql": "DELETE FROM t", "continue_on_error": True}],
        post_statements=[{"name": "check", "sql": "SELECT '{{ ds_nodash }}'"}],
    )
    assert render_dataset(spec, CONTEXT) == [
        Statement("pre", "clean", "DELETE FROM t", continue_on_error=True),
        Statement("main", None, "INSERT INTO t SELECT DATE '2025-01-05'"),
        Statement("post", "check", "SELECT '20250105'"),
    ]


@pytest.mark.parametrize("name", ["ds", "execution_date"])
def test_a_date_parameter_moves_the_run(name: str) -> None:
    spec = dataset("SELECT '{{ ds }}', '{{ data_interval_start }}'")
    assert main_sql(spec, **{name: "2024-2-29"}) == (
        "SELECT '2024-02-29', '2024-02-29 00:00:00+00:00'"
    )


def test_a_parameter_named_like_a_builtin_takes_its_value() -> None:
    spec = dataset("SELECT '{{ ds }}', {{ year }}", parameters=[
        {"name": "ds", "type": "date"}, {"name": "year", "type": "integer"},
    ])  # fmt: skip
    assert main_sql(spec, execution_date="2024-02-29") == "SELECT '2024-02-29', 2024"
    assert main_sql(spec, year=1999) == "SELECT '2025-01-05', 1999"


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        (dataset(None), "DLI-203", "the spec has no query_statement"),
        (dataset("SELECT\n{{ x }}"), "DLI-203", "main statement:2: template"),
        (dataset("SELECT\n1 1"), "DLI-202", "main statement:2, column"),
        (dataset("SELECT 1; SELECT 2"), "DLI-203", "holds 2 statements"),
        (dataset("SELECT 1", post_statements=[{"name": "q", "sql": "CALL f()"}]),
         "DLI-203", "post statement 'q':1: this kind"),
        (dataset("SELECT 1", parameters=[{"name": "n"}]), "DLI-204", "'n' is required"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_part(spec: DatasetSpec, code: str, message: str) -> None:
    error = refusal(spec)
    assert error.code == code
    assert message in error.message


ATTACKS = [
    "x' OR '1'='1", "x' OR 1=1 --", "'; DROP TABLE people; --", "' UNION SELECT secret FROM t --",
    "x'--", "x'/*", "\\", "\\'", "x\\' OR 1=1 --", "5 OR 1=1", "1; DELETE FROM t", "1) OR (1=1",
    "(SELECT secret FROM t)", "CASE WHEN 1=1 THEN 1 END", "1 UNION SELECT 1", "' || secret || '",
    "name, secret", "1 -- ", "/**/OR/**/1=1", "''", "'", "\"", "%27 OR 1=1", "x\n OR 1=1", "$$x$$",
    "E'\\''", "U&'\\0027'", "x' AND SLEEP(5) AND '1'='1", "{{ 7*7 }}", "０' OR '１'='１",
]  # fmt: skip


def test_a_metric_becomes_one_query() -> None:
    metric = MetricSpec(
        name="m", owner="me", team="t", query_statement="SELECT '{{ ds }}', {{ n }}"
    )
    metric.parameters = [QueryParameter(name="n", type=ParameterType.INTEGER)]
    assert render_metric(metric, CONTEXT, {"n": 5}) == "SELECT '2025-01-05', 5"
    metric.query_statement = "DELETE FROM t"
    with pytest.raises(DLIValidationError, match="a query is needed"):
        render_metric(metric, CONTEXT, {"n": 5})


class TestInjection:
    """No value does more than a literal of it: same rows, or refused."""

    @pytest.fixture
    def people(self) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = duckdb.connect()
        connection.execute("CREATE TABLE people (name VARCHAR, secret VARCHAR)")
        rows = [[text, "s"] for text in ("alice", "O'Brien", "New York", "-5", *ATTACKS)]
        connection.executemany("INSERT INTO people VALUES (?, ?)", rows)
        yield connection
        connection.close()

    @pytest.mark.parametrize("value", ["alice", "O'Brien", "New York", "-5", *ATTACKS])
    def test_the_filter_finds_exactly_the_value(
        self, people: duckdb.DuckDBPyConnection, value: str
    ) -> None:
        query = "SELECT name FROM people WHERE name = {{ v|sql_string }} AND secret = 's'"
        sql = main_sql(dataset(query, parameters=[{"name": "v"}]), v=value)
        assert people.execute(sql).fetchall() == [(value,)]
        query = "SELECT name FROM people WHERE name IN {{ v|sql_list }}"
        spec = dataset(query, parameters=[{"name": "v", "type": "list"}])
        assert people.execute(main_sql(spec, v=[value])).fetchall() == [(value,)]

    @pytest.mark.parametrize("value", ["alice", "New York", "-5", *ATTACKS])
    @pytest.mark.parametrize(
        "query",
        [
            "SELECT name FROM people WHERE name = '{{ v }}' AND secret = 's'",
            "SELECT name FROM people WHERE (name = '{{ v }}')",
        ],
    )
    def test_f31_between_quotes_it_finds_the_value_or_is_refused(
        self, people: duckdb.DuckDBPyConnection, query: str, value: str
    ) -> None:
        spec = dataset(query, parameters=[{"name": "v"}])
        try:
            sql = main_sql(spec, v=value)
        except DLIValidationError as error:
            assert error.code in ("DLI-202", "DLI-203")  # noqa: PT017 - both ends are right
            assert value not in ("alice", "New York", "-5")
        else:
            assert people.execute(sql).fetchall() == [(value,)]

    @pytest.mark.parametrize("value", ATTACKS)
    def test_without_quotes_it_is_refused(self, value: str) -> None:
        spec = dataset("SELECT name FROM people WHERE 1 = {{ v }}", parameters=[{"name": "v"}])
        assert refusal(spec, v=value).code in ("DLI-202", "DLI-203")

    @pytest.mark.parametrize("kind", ["integer", "float", "date", "boolean"])
    @pytest.mark.parametrize("value", ATTACKS)
    def test_typed_parameters_take_no_other_text(self, kind: str, value: str) -> None:
        spec = dataset("SELECT {{ v }}", parameters=[{"name": "v", "type": kind}])
        assert refusal(spec, v=value).code == "DLI-204"

    def test_a_minus_before_a_negative_number_makes_no_comment(self) -> None:
        parameters = [{"name": "n", "type": "integer"}]
        spec = dataset("SELECT 7 -{{ n }} FROM people", parameters=parameters)
        assert main_sql(spec, n=5) == "SELECT 7 -5 FROM people"
        assert "n would change the structure" in refusal(spec, n=-5).message
        spec = dataset("SELECT 7 - {{ n }} FROM people", parameters=parameters)
        assert main_sql(spec, n=-5) == "SELECT 7 - -5 FROM people"

    def test_the_author_is_trusted_also_with_defaults_and_branches(self) -> None:
        spec = dataset(
            "SELECT 1{% if mode == 'a b' %}, 2{% endif %} {{ \"WHERE 1 = 1\" if full else '' }}",
            parameters=[
                {"name": "full", "type": "boolean", "default": True},
                {"name": "mode", "default": "a b"},
            ],
        )
        assert main_sql(spec) == "SELECT 1, 2 WHERE 1 = 1"
        assert main_sql(spec, full=False) == "SELECT 1, 2 "
