"""Scheduled runs have one id each, everywhere."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dli.specs.name import MAX_NAME_LENGTH
from dli.specs.run_id import scheduled_run_id

INSTANT = datetime(2025, 3, 9, 6, 30, tzinfo=UTC)


def test_the_id_is_that_of_the_instant_in_whatever_zone_it_is_told() -> None:
    local = INSTANT.astimezone(ZoneInfo("America/New_York"))
    assert scheduled_run_id("db.daily", local) == "scheduled__db.daily__20250309T063000Z"
    assert scheduled_run_id("db.daily", INSTANT) == scheduled_run_id("db.daily", local)


def test_no_two_runs_share_an_id() -> None:
    names = ["a.b", "a.b_", "a.b__20250309T063000Z", "a.b-", "a_.b"]
    instants = [INSTANT + timedelta(seconds=number) for number in (0, 1, 60, 3600)]
    ids = {scheduled_run_id(name, instant) for name in names for instant in instants}
    assert len(ids) == len(names) * len(instants)


def test_the_longest_id_is_a_good_file_name_and_url_part() -> None:
    longest = scheduled_run_id("a" * MAX_NAME_LENGTH, INSTANT)
    assert re.fullmatch(r"[A-Za-z0-9_.~:+-]+", longest)
    assert len(f"run_id={longest}") <= 250
