"""Every row of the contract names the tests that show its real behaviour, and they are there."""

from collections.abc import Iterator

import pytest

from evidence import is_test, table

PAPERS = ("exports", "apis", "client", "cli", "http", "files")
# What no test of `make test` can show, for it needs an Airflow; `make test-airflow` runs these.
ON_AIRFLOW = {"airflow/test_migration.py"}


def rows() -> Iterator[tuple[str, str, list[str]]]:
    for paper in PAPERS:
        for section, entries in table(paper).items():
            if section == "signatures":
                continue
            for row, entry in entries.items():
                yield paper, row, entry["tests"] if isinstance(entry, dict) else entry


@pytest.mark.parametrize(
    ("paper", "row", "tests"), [pytest.param(*row, id=f"{row[0]}: {row[1]}") for row in rows()]
)
def test_the_row_has_tests_and_each_is_there(paper: str, row: str, tests: list[str]) -> None:
    assert tests, f"{paper}: no test shows {row!r}"
    assert [name for name in tests if not is_test(name)] == []


def test_a_test_that_is_not_there_or_never_runs_is_found_out() -> None:
    here = "contract/test_rows.py"
    assert is_test(f"{here}::test_the_row_has_tests_and_each_is_there")
    assert not is_test(f"{here}::test_that_nobody_wrote")
    assert not is_test(f"{here}::rows")
    assert not is_test("contract/test_nothing.py::test_the_row_has_tests_and_each_is_there")
    assert not is_test(here)


def test_every_file_that_is_named_is_run_by_make_test() -> None:
    named = {name.partition("::")[0] for _, _, tests in rows() for name in tests}
    assert {name for name in named if name.startswith("airflow/")} == ON_AIRFLOW
