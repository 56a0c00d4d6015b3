"""Every fault that we know of has tests that show what happens then, or a reason to have none."""

import json
import re
from typing import Any

import pytest

from evidence import TESTS, is_test, table

GOALS = table("faults")["goals"]
FAULTS = table("faults")["faults"]
DEFECTS = table("faults")["defects"]


def test_no_goal_and_no_fault_is_left_out() -> None:
    assert list(GOALS) == [f"G{number}" for number in range(1, 11)]
    assert list(FAULTS) == [f"F{number}" for number in range(1, 51)]


@pytest.mark.parametrize("name", [*GOALS, *FAULTS])
def test_each_has_tests_that_are_there_or_a_reason(name: str) -> None:
    entry: dict[str, Any] = (GOALS | FAULTS)[name]
    assert entry.keys() <= {"name", "tests", "reason", "missing"}
    assert [test for test in entry.get("tests", ()) if not is_test(test)] == []
    assert entry.get("tests") or entry.get("reason")


@pytest.mark.parametrize("fault", [name for name in FAULTS if FAULTS[name].get("tests")])
def test_the_id_of_a_fault_is_in_the_name_of_its_first_test(fault: str) -> None:
    first = FAULTS[fault]["tests"][0].rpartition("::")[2]
    assert re.match(rf"test_{fault.lower()}_", first)


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_planted_defect_names_the_tests_that_it_turns_red(defect: str) -> None:
    assert DEFECTS[defect]
    assert [test for test in DEFECTS[defect] if not is_test(test)] == []


def test_the_last_long_run_is_of_campaigns_that_are_there() -> None:
    rows = json.loads((TESTS / "battery" / "last-long-run.json").read_text(encoding="utf-8"))[
        "rows"
    ]
    names = {re.sub(r"^tests/|\[.*", "", row["test"]) for row in rows}
    assert [name for name in names if not is_test(name)] == []
