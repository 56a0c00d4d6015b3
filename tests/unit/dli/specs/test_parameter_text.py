"""Reading a parameter's text where no declaration says its type."""

import pytest

from dli.specs.parameter_text import guess


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("FALSE", False),
        ("0", 0),
        ("-12", -12),
        ("1.50", 1.5),
        ("-0.5", -0.5),
        ("a,b", ["a", "b"]),
        ("1,2", ["1", "2"]),
        ("007", "007"),
        ("-007", "-007"),
        ("1.", "1."),
        (".5", ".5"),
        ("1e3", "1e3"),
        ("2025-01-01", "2025-01-01"),
        ("٣", "٣"),
        ("nan", "nan"),
        ("", ""),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_text_is_read_as_the_rule_says(text: str, value: object) -> None:
    found = guess(text)
    assert (found, type(found)) == (value, type(value))
