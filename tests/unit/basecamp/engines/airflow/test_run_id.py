"""Ids of runs in the store and in Airflow lead to each other."""

import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from basecamp.engines.airflow.run_id import airflow_id, repeated_id, stored_id
from dli.specs.run_id import scheduled_run_id

NAME = "shop.sales.daily"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_ids_of_our_own_are_the_same_on_both_sides() -> None:
    ours = scheduled_run_id(NAME, AT)
    assert stored_id(NAME, ours) == ours
    assert airflow_id(NAME, ours) == ours
    assert airflow_id(NAME, "run-20260101T000000-abc") == "run-20260101T000000-abc"


def test_an_id_that_two_dags_may_share_becomes_one_of_its_own() -> None:
    made_in_ui = "manual__2026-01-01T00:00:00+00:00"
    assert stored_id(NAME, made_in_ui) != stored_id("shop.sales.hourly", made_in_ui)
    assert airflow_id(NAME, stored_id(NAME, made_in_ui)) == made_in_ui


def test_what_is_done_again_has_the_same_id_in_airflow() -> None:
    again = repeated_id("run-1", AT)
    assert again != "run-1"
    assert airflow_id(NAME, again) == "run-1"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_any_id_of_airflow_comes_back_and_fits_into_a_url(text: str) -> None:
    stored = stored_id(NAME, text)
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", stored)
    assert airflow_id(NAME, stored) == text
