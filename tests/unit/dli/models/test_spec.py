"""Specs: the parts of their names, their versions and their stored form."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dli.models.dataset import DatasetSpec
from dli.models.metric import MetricSpec
from dli.models.schedule import RetryConfig, ScheduleConfig
from dli.models.spec import DatasetVersion, QueryType, SpecType


def dataset(name: str = "a.b.c", **given: Any) -> DatasetSpec:
    return DatasetSpec(name=name, owner="o", team="t", **given)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("iceberg.analytics.clicks", ("iceberg", "analytics", "clicks")),
        ("analytics.clicks", ("", "analytics", "clicks")),
        ("clicks", ("", "", "clicks")),
    ],
)
def test_parts_of_the_name(name: str, parts: tuple[str, str, str]) -> None:
    spec = dataset(name)
    assert (spec.catalog, spec.schema_name, spec.table) == parts


def test_the_active_version_has_no_end() -> None:
    old = DatasetVersion(version="1", started_at=date(2024, 1, 1), ended_at=date(2024, 6, 1))
    new = DatasetVersion(version="2", started_at=date(2024, 6, 1))
    assert (old.is_active, new.is_active) == (False, True)
    assert dataset(versions=[old, new]).active_version == new
    assert dataset(versions=[old]).active_version is None
    assert dataset().active_version is None


def test_a_spec_knows_its_file_without_storing_it(tmp_path: Path) -> None:
    spec = dataset()
    assert (spec.spec_path, spec.base_dir) == (None, None)
    spec.spec_path = tmp_path / "dataset.a.b.c.yaml"
    assert (spec.spec_path, spec.base_dir) == (tmp_path / "dataset.a.b.c.yaml", tmp_path)
    assert str(tmp_path) not in spec.model_dump_json()


def test_the_stored_form_has_the_keys_of_the_file() -> None:
    stored = {
        "name": "a.b.c",
        "owner": "o",
        "team": "t",
        "schema": [{"name": "id", "type": "bigint"}],
        "schedule": {"cron": "0 9 * * *", "timezone": "Asia/Seoul"},
    }
    spec = DatasetSpec.model_validate(stored)
    assert spec.schema_fields == stored["schema"]
    assert spec.schedule == ScheduleConfig(cron="0 9 * * *", timezone="Asia/Seoul")
    dumped = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert dumped["schema"] == stored["schema"]
    assert DatasetSpec.model_validate(dumped) == spec


def test_the_kinds_of_specs() -> None:
    metric = MetricSpec(name="m", owner="o", team="t")
    assert (metric.type, metric.query_type) == (SpecType.METRIC, QueryType.SELECT)
    assert (dataset().type, dataset().query_type) == (SpecType.DATASET, QueryType.DML)


@pytest.mark.parametrize("given", [{"max_attempts": 0}, {"delay_seconds": -1}])
def test_retries_are_bounded(given: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        RetryConfig(**given)
