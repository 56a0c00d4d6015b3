"""How the text of options is read."""

from __future__ import annotations

from datetime import date

import pytest

from dli.cli.option import read_date, split_pairs
from dli.exceptions import DLIValidationError, ErrorCode


def test_pairs_split_at_the_first_equals_sign_and_the_last_one_counts() -> None:
    assert split_pairs(["a=1=2", "b=", "a=x"]) == {"a": "x", "b": ""}


@pytest.mark.parametrize("text", ["a", "=1", " =1", ""])
def test_a_pair_without_a_key_is_refused(text: str) -> None:
    with pytest.raises(DLIValidationError) as caught:
        split_pairs([text])
    assert caught.value.code is ErrorCode.PARAMETER_INVALID


@pytest.mark.parametrize("text", ["2025-01-07", "2025-1-7", " 2025-01-7 "])
def test_dates_may_have_one_digit(text: str) -> None:
    assert read_date(text) == date(2025, 1, 7)


@pytest.mark.parametrize(
    "text", ["2025-13-01", "2025-02-30", "today", "25-01-01", "٢٠٢٥-01-01", ""]
)
def test_other_text_is_no_date(text: str) -> None:
    with pytest.raises(DLIValidationError) as caught:
        read_date(text)
    assert caught.value.code is ErrorCode.PARAMETER_INVALID
