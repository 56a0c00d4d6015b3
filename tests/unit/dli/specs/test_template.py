"""Templates: what they know, what they refuse, and what they may cost."""

import time
from datetime import UTC, date, datetime
from typing import Any

import pytest

from dli.exceptions import DLIValidationError
from dli.specs.origin import Origin
from dli.specs.schedule import Interval
from dli.specs.template import RenderContext, builtin_values, render

SUNDAY = RenderContext(date(2025, 1, 5), "Asia/Seoul", run_id="run_1")


def rendered(text: str, context: RenderContext = SUNDAY, **parameters: Any) -> str:
    return render(text, context, parameters)


def refusal(text: str, context: RenderContext = SUNDAY, **parameters: Any) -> str:
    with pytest.raises(DLIValidationError) as caught:
        render(text, context, parameters, origin=Origin("sets/a.sql", 10))
    assert caught.value.code == "DLI-203"
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ds", "2025-01-05"),
        ("ds_nodash", "20250105"),
        ("execution_date", "2025-01-05"),
        ("yesterday_ds", "2025-01-04"),
        ("tomorrow_ds", "2025-01-06"),
        ("week_start_ds", "2024-12-30"),
        ("month_start_ds", "2025-01-01"),
        ("year", "2025"),
        ("month", "01"),
        ("day", "05"),
        ("run_id", "run_1"),
        ("logical_date", "2025-01-04 15:00:00+00:00"),
        ("data_interval_start", "2025-01-04 15:00:00+00:00"),
        ("data_interval_end", "2025-01-05 15:00:00+00:00"),
        ("data_interval_end.hour", "15"),
    ],
)
def test_variables_follow_the_logical_date(name: str, value: str) -> None:
    assert rendered("{{ " + name + " }}") == value


def test_the_interval_of_a_run_is_taken_when_known() -> None:
    interval = Interval(datetime(2025, 1, 5, 1, tzinfo=UTC), datetime(2025, 1, 5, 2, tzinfo=UTC))
    context = RenderContext(date(2025, 1, 5), interval=interval)
    assert rendered("{{ data_interval_start.hour }}-{{ data_interval_end.hour }}", context) == "1-2"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ var('region') }}", "eu"),
        ("{{ var('none', 5) }}", "5"),
        ("{{ env_var('HOME_DIR') }}", "/x"),
        ("{{ env_var('PATH') }}", ""),
        ("{{ env_var('PATH', 'd') }}", "d"),
        ("{{ date_add(ds, 30) }}", "2025-02-04"),
        ("{{ date_sub('2024-03-01', 1) }}", "2024-02-29"),
        ("{{ date_add(data_interval_start, 1) }}", "2025-01-06"),
        ("{{ ref('a.b.c') }} {{ ref('unknown-x') }}", "a.b.c unknown-x"),
        ("{{ ref('a.b.my-table') }}", 'a.b."my-table"'),
        ("{{ source('raw', 'clicks') }}", "raw.clicks"),
        ("{{ \"O'Brien\"|sql_string }} {{ none|sql_string }}", "'O''Brien' NULL"),
        ("{{ 5|sql_string }} {{ true|sql_string }}", "'5' 'true'"),
        ("{{ ['a', 1, 1.5, true]|sql_list }} {{ []|sql_list }}", "('a', 1, 1.5, true) (NULL)"),
        ("{{ 'a\"b'|sql_identifier }}", '"a""b"'),
        ("{{ '2025-1-5'|sql_date }} {{ none|sql_date }}", "DATE '2025-01-05' NULL"),
        ("{{ 'aB'|upper }}{{ 'aB'|lower }}{{ ' x '|strip }}", "ABabx"),
        ("{{ 'aa'|replace('a', 'b') }}", "bb"),
        ("{{ true }} {{ 1 > 2 }} {{ '<&>' }}", "true false <&>"),
        ("{% if true %}\nx\n{% endif %}\ny\n", "x\ny"),
        ("  {% for n in [1, 2] %}\n{{ n }},\n  {% endfor %}", "1,\n2,\n"),
    ],
)  # fmt: skip
def test_functions_and_filters(text: str, value: str) -> None:
    context = RenderContext(
        date(2025, 1, 5),
        variables={"region": "eu"},
        allowed_env={"HOME_DIR": "/x"},
        known_names={"a.b.c", "a.b.my-table"},
    )
    assert rendered(text, context) == value


@pytest.mark.parametrize(
    ("dialect", "value"),
    [
        ("trino", """'a\\''b' "x" """),
        ("duckdb", """'a\\''b' "x" """),
        ("snowflake", """'a\\\\''b' "x" """),
        ("bigquery", """'a\\\\\\'b' `x` """),
        ("spark", """'a\\\\\\'b' `x` """),
    ],
)
def test_literals_and_names_follow_the_dialect(dialect: str, value: str) -> None:
    text = "{{ v|sql_string }} {{ 'x'|sql_identifier }} "
    assert render(text, SUNDAY, {"v": "a\\'b"}, dialect=dialect) == value


def test_without_a_list_of_allowed_names_the_environment_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DLI_TEST_VALUE", "here")
    assert rendered("{{ env_var('DLI_TEST_VALUE') }}") == "here"


def test_parameters_come_on_top() -> None:
    assert rendered("{{ ds }} {{ region }}", ds="2024-02-29", region="us") == "2024-02-29 us"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a\n{{ foo }}", 11, "`foo` is undefined"),
        ("{{ data_interval_end.nope }}", 10, "undefined"),
        ("\n{% if %}", 11, "unexpected end of block"),
        ("{{ ds|nope }}", 10, "filter nope is unknown"),
        ("{{ nope() }}", 10, "nope is unknown"),
        ("\n\n{{ date_add('x', 1) }}", 12, "date_add: the date must be a date"),
        ("\n{{ 'x'|sql_date }}", 11, "sql_date: the date must be a date"),
        ("{{ none }}", 10, "a value is None"),
        ("{{ var('none') }}", 10, "a value is None"),
        ("{{ [1] }}", 10, "sql_list"),
        ("{{ date_add(ds, 10**9) }}", 10, "template: "),
        ("{{ env_var() }}", 10, "template: "),
        ("{{ 1/0 }}", 10, "template: "),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, reason: str) -> None:
    message = refusal(text)
    assert message.startswith(f"sets/a.sql:{line}: template: ")
    assert reason in message


@pytest.mark.parametrize(
    "text",
    [
        "{{ ds.__class__ }}",
        "{{ data_interval_start.__class__.__mro__ }}",
        "{{ var.__globals__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ self }}",
        "{{ debug() }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% extends 'x' %}",
    ],
)
def test_nothing_leads_out_of_the_sandbox(text: str) -> None:
    refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 10**9 }}",
        "{% for i in range(10**9) %}{% endfor %}",
        "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}",
        "{{ " + "[" * 20_000 + " }}",
    ],
)
def test_a_costly_template_is_stopped(text: str) -> None:
    start = time.monotonic()
    refusal(text)
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("payload", ["{{ 7*7 }}", "{% raw %}", "${7*7}", "{{ ds }}", "#{7*7}"])
def test_f33_a_value_is_never_a_template(payload: str) -> None:
    assert rendered("{{ v }}|{{ v|sql_string }}", v=payload) == f"{payload}|'{payload}'"


def test_the_ends_of_the_calendar_are_refused_not_wrapped() -> None:
    for day in (date.min, date.max):
        with pytest.raises(DLIValidationError) as caught:
            builtin_values(RenderContext(day))
        assert caught.value.code == "DLI-204"
