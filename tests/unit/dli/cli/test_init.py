"""`dli init`."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Dli = Callable[..., Result]


def test_init_writes_a_project_with_data_up_to_today(dli: Dli, clean_place: Path) -> None:
    result = dli("init", "shop")
    assert result.exit_code == 0
    assert "cd shop" in result.stdout
    written = {str(p.relative_to(clean_place)) for p in clean_place.rglob("*") if p.is_file()}
    assert written == {
        "shop/.gitignore",
        "shop/dli.yaml",
        "shop/data/orders.csv",
        "shop/datasets/dataset.shop.sales.daily_revenue.yaml",
    }
    rows = list(csv.DictReader((clean_place / "shop/data/orders.csv").read_text().splitlines()))
    assert rows[-1]["ordered_on"] == str(datetime.now(UTC).date())


def test_init_writes_into_the_working_directory_by_default(dli: Dli, clean_place: Path) -> None:
    assert "cd " not in dli("init").stdout
    assert (clean_place / "dli.yaml").exists()


def test_init_overwrites_nothing(dli: Dli, clean_place: Path) -> None:
    (clean_place / "dli.yaml").write_text("mine")
    result = dli("init")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error [DLI-001]: Nothing was written: dli.yaml already there."
        " Choose an empty directory: dli init DIRECTORY\n"
    )
    assert [path.name for path in clean_place.iterdir()] == ["dli.yaml"]
    assert (clean_place / "dli.yaml").read_text() == "mine"


def test_init_keeps_the_gitignore_of_a_repository(dli: Dli, clean_place: Path) -> None:
    (clean_place / ".gitignore").write_text("mine")
    result = dli("init")
    assert result.exit_code == 0
    assert "should have a line .dli/" in result.stderr
    assert (clean_place / ".gitignore").read_text() == "mine"
