"""Shared results: their small judgements, and catalog records that come back as tables."""

import json

from dli.models.catalog import ColumnInfo, TableDetail, TableInfo
from dli.models.common import (
    CatalogListResult,
    CatalogSearchResult,
    EnvironmentInfo,
    TableDetailResult,
    TranspileResult,
    ValidationResult,
)


def test_validation_tells_whether_there_is_anything() -> None:
    clean = ValidationResult(valid=True)
    assert (clean.has_errors, clean.has_warnings) == (False, False)
    found = ValidationResult(valid=False, errors=["e"], warnings=["w"])
    assert (found.has_errors, found.has_warnings) == (True, True)


def test_a_translation_has_changes_when_the_texts_differ() -> None:
    def translated(text: str) -> TranspileResult:
        return TranspileResult(
            original_sql="SELECT 1", transpiled_sql=text, success=True, duration_ms=0
        )

    assert not translated("SELECT 1").has_changes
    assert translated("SELECT 2").has_changes


def test_tables_come_back_from_json_as_tables() -> None:
    table = TableInfo(name="p.d.t", engine="trino", tags=["a"])
    listed = CatalogListResult(tables=[table], total_count=1)
    assert CatalogListResult.model_validate_json(listed.model_dump_json()) == listed
    searched = CatalogSearchResult(tables=[table], keyword="t", total_matches=1)
    assert CatalogSearchResult.model_validate_json(searched.model_dump_json()) == searched
    detail = TableDetail(
        name="p.d.t",
        engine="trino",
        basecamp_url="http://x",
        columns=[ColumnInfo(name="c", data_type="int")],
    )
    result = TableDetailResult(table=detail)
    assert TableDetailResult.model_validate_json(result.model_dump_json()) == result


def test_other_records_are_left_alone() -> None:
    for record in ({"name": "t"}, {"name": "t", "engine": "x", "more": 1}, "t", None):
        assert CatalogListResult(tables=[record]).tables == [record]
    assert TableDetailResult(table={"name": "t"}).table == {"name": "t"}


def test_a_connection_string_is_not_shown() -> None:
    info = EnvironmentInfo(name="dev", connection_string="trino://me:secret@host")
    assert "secret" not in repr(info)
    assert json.loads(info.model_dump_json())["name"] == "dev"
