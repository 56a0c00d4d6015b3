"""Values in SQL are compared with harmless ones in their place."""

from typing import Any

import pytest

from dli.specs.probe import probes_for, same_structure

P = "dliprobe"


@pytest.mark.parametrize(
    ("value", "probe"),
    [
        ("New York", P),
        ("a-b", P),
        ("x'", P),
        ("-5", P),
        ("1.", P),
        ("a.", P),
        (["a b", "c", 5], [P, "c", 5]),
    ],
)
def test_what_could_do_harm_is_replaced(value: Any, probe: Any) -> None:
    assert probes_for({"v": value}, "{{ v }}") == {"v": probe}


@pytest.mark.parametrize(
    "value",
    ["", "abc", "a.b.c", "12", "1.5", "2025-01-31", "2025-01-31 10:00:00+09:00", 5, -5, True, None],
)
def test_what_cannot_is_left(value: Any) -> None:
    assert probes_for({"v": value}, "{{ v }}") == {}


@pytest.mark.parametrize("template", ["x -{{ v }}", "x - {{- v }}", "x -\n{{ v }}"])
def test_a_negative_number_after_a_minus_is_replaced(template: str) -> None:
    assert probes_for({"v": -5, "w": 5}, template) == {"v": 5}


@pytest.mark.parametrize(
    ("real", "other", "value", "same"),
    [
        ("SELECT 'a b'", f"SELECT '{P}'", "a b", True),
        ("SELECT 'A B'", f"SELECT '{P.upper()}'", "a b", True),
        ("SELECT '%a b%'", f"SELECT '%{P}%'", "a b", True),
        ("SELECT 'O''Brien'", f"SELECT '{P}'", "O'Brien", True),
        ("SELECT ''''", f"SELECT '{P}'", "''", False),
        ('SELECT * FROM "a b"', f'SELECT * FROM "{P}"', "a b", True),
        ("SELECT x - -5", "SELECT x - 5", -5, True),
        ("SELECT x --5\n", "SELECT x -5\n", -5, False),
        ("SELECT 'a' OR 1=1", f"SELECT '{P}'", "a' OR 1=1", False),
        ("SELECT 1; DROP TABLE t", f"SELECT {P}", "1; DROP TABLE t", False),
        ("SELECT a b", f"SELECT {P}", "a b", False),
        ("SELECT 'other', 'a b'", f"SELECT 'fixed', '{P}'", "a b", False),
        ("SELECT (", f"SELECT {P}", "(", False),
    ],
)
def test_structures_differ_only_where_the_probe_stands(
    real: str, other: str, value: Any, same: bool
) -> None:
    assert same_structure(real, other, "trino", {"v": value}) is same


def test_a_long_condition_is_compared_too() -> None:
    rest = "".join(f" AND x{number} = {number}" for number in range(2_000))
    real, other = (f"SELECT 1 FROM t WHERE a = '{text}'{rest}" for text in ("a b", P))
    assert same_structure(real, other, "trino", {"v": "a b"})
    assert not same_structure(real + " OR 1 = 1", other, "trino", {"v": "a b"})
