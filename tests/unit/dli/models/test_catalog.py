"""What the catalog's figures are worth."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from dli.models.catalog import ColumnInfo, FreshnessInfo, QualityInfo, TableDetail, TableInfo


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("my-project.analytics.users", ("my-project", "analytics", "users")),
        ("analytics.users", ("", "analytics", "users")),
        ("users", ("", "", "users")),
    ],
)
def test_parts_of_the_name(name: str, parts: tuple[str, str, str]) -> None:
    for table in (
        TableInfo(name=name, engine="trino"),
        TableDetail(name=name, engine="trino", basecamp_url="http://x"),
    ):
        assert (table.project, table.dataset, table.table) == parts


@pytest.mark.parametrize(
    ("rate", "text"), [(None, "-"), (0.995, "99.5%"), (1, "100.0%"), (0, "0.0%")]
)
def test_fill_rate_as_text(rate: float | None, text: str) -> None:
    assert ColumnInfo(name="c", data_type="int", fill_rate=rate).fill_rate_percent == text


def test_columns_with_personal_data_are_marked_and_counted() -> None:
    columns = [ColumnInfo(name=n, data_type="text", is_pii=n == "mail") for n in ("id", "mail")]
    assert [column.pii_indicator for column in columns] == ["", "PII"]
    detail = TableDetail(name="t", engine="trino", basecamp_url="http://x", columns=columns)
    assert detail.pii_column_count == 1


def test_freshness() -> None:
    now = datetime.now(UTC)
    assert FreshnessInfo().freshness_status == "unknown"
    assert FreshnessInfo(last_updated=now).freshness_status == "fresh"
    assert FreshnessInfo(last_updated=now, is_stale=True).freshness_status == "stale"


@pytest.mark.parametrize(
    ("score", "status"),
    [
        (None, "unknown"),
        (100, "good"),
        (90, "good"),
        (89, "warning"),
        (70, "warning"),
        (69, "bad"),
        (0, "bad"),
    ],
)
def test_quality_score(score: int | None, status: str) -> None:
    assert QualityInfo(score=score).score_status == status


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (ColumnInfo, {"name": "c", "data_type": "int", "fill_rate": 1.1}),
        (ColumnInfo, {"name": "c", "data_type": "int", "distinct_count": -1}),
        (QualityInfo, {"score": 101}),
        (TableInfo, {"name": "t", "engine": "trino", "row_count": -1}),
    ],
)
def test_figures_out_of_range_are_refused(model: type[Any], given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model(**given)
