"""A spec written as YAML is read back the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basecamp.specstore.document import from_yaml, stored_form, to_yaml
from dli.exceptions import DLIValidationError, ErrorCode
from dli.specs.parser import dataset_from_mapping

NAME = "shop.sales.daily"
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
WORDS = st.sampled_from(
    ["true", "null", "1e5", "007", "12:30", "2026-01-01", "- a", "# b", "~", ""]
)
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | TEXTS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | WORDS, inner, max_size=3),
    max_leaves=8,
)


def content(**more: Any) -> dict[str, Any]:
    spec = {"name": NAME, "owner": "ana", "team": "sales", "query_statement": "SELECT 1", **more}
    return stored_form(dataset_from_mapping(spec)[0])


@given(
    description=TEXTS | WORDS,
    sql=TEXTS | st.just("SELECT *\nFROM a -- x\n\n\nWHERE b = '\t'\n"),
    tags=st.lists(TEXTS | WORDS, max_size=3),
    schema=st.lists(st.dictionaries(st.sampled_from("abc"), VALUES), max_size=2),
)
def test_what_is_written_is_read_back_the_same(
    description: str, sql: str, tags: list[str], schema: list[dict[str, Any]]
) -> None:
    before = content(description=description, query_statement=sql, tags=tags, schema=schema)
    assert from_yaml(to_yaml(before), NAME) == before


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        ("string", "007"),
        ("string", "true"),
        ("integer", 7),
        ("float", 0.1),
        ("float", 1e22),
        ("date", "2026-01-01"),
        ("boolean", False),
        ("list", ["1", "b"]),
        ("list", [1, 2.5, True]),
    ],
)
def test_defaults_of_parameters_keep_their_type(kind: str, default: Any) -> None:
    before = content(parameters=[{"name": "p", "type": kind, "default": default}])
    assert from_yaml(to_yaml(before), NAME) == before


def test_a_whole_spec_keeps_everything() -> None:
    before = content(
        schedule={
            "cron": "0 6 * * 1-5",
            "timezone": "Asia/Seoul",
            "retry": {"max_attempts": 3, "delay_seconds": 5},
            "notifications": {"on_failure": [{"type": "slack", "channel": "#x"}]},
        },
        pre_statements=[{"name": "clean", "sql": "DELETE FROM t\n  WHERE d = '{{ ds }}'"}],
        versions=[{"version": "1", "started_at": "2026-01-01"}],
        depends_on=["a.b"],
    )
    assert from_yaml(to_yaml(before), NAME) == before


def test_equal_specs_have_equal_bytes_and_sql_stays_readable() -> None:
    text = to_yaml(content(query_statement="SELECT 1\nFROM t")).decode()
    assert "query_statement: |-\n  SELECT 1\n  FROM t\n" in text
    assert text == to_yaml(content(query_statement="SELECT 1\nFROM t")).decode()


@pytest.mark.parametrize("name", ["solo", "../a.b", "a.b\n", "A.b c", "a." + "b" * 199, "ａ.b", ""])
def test_a_file_name_that_is_no_dataset_name_is_refused(name: str) -> None:
    with pytest.raises(DLIValidationError) as caught:
        from_yaml(to_yaml(content()), name)
    assert caught.value.code == ErrorCode.SPEC_INVALID


def test_file_and_spec_must_have_one_name() -> None:
    with pytest.raises(DLIValidationError, match="name of its file"):
        from_yaml(to_yaml(content()), "shop.sales.other")


def test_sql_in_files_of_its_own_is_refused() -> None:
    spec, _ = dataset_from_mapping({"name": NAME, "owner": "a", "team": "t"})
    spec.query_file = "x.sql"
    with pytest.raises(DLIValidationError, match="carries its SQL itself"):
        stored_form(spec)
