"""A token that asks too often is told to wait; another one, and this machine's, is not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from basecamp.rate import Rate

NAME = "shop.sales.daily"
WORKFLOWS = "/api/v1/workflows"
RUN = f"{WORKFLOWS}/{NAME}/run"


@pytest.fixture
def limited(tmp_path: Path, site_type: Any) -> Iterator[Any]:
    rates = {"read_rate": Rate(1, 5), "change_rate": Rate(1, 4), "run_rate": Rate(1, 1)}
    server = site_type(tmp_path, **rates)
    parts = server.basecamp.site
    for allowances in (parts.rates._reads, parts.rates._changes, parts.runs._starts):
        allowances._seconds = lambda: 5.0  # the time of day of a test is one instant
    server.start()
    yield server
    server.stop()


def token(site: Any, name: str) -> str:
    body = {"name": name, "role": "operator", "teams": ["sales"]}
    return str(site.post("/api/v1/tokens", body).body["token"])


def test_who_reads_too_often_is_told_to_wait(limited: Any) -> None:
    hasty, calm = token(limited, "hasty"), token(limited, "calm")
    answers = [limited.get(WORKFLOWS, token=hasty) for _ in range(12)]
    assert [answer.status for answer in answers[:5]] == [200] * 5
    assert answers[0].headers["ratelimit-policy"] == '"reads";q=5;w=5'
    assert answers[0].headers["ratelimit"] == '"reads";r=4;t=5'
    for answer in answers[5:]:
        assert answer.status == 429
        assert answer.body["code"] == "DLI-503"
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["ratelimit"] == '"reads";r=0;t=1'
    assert limited.get(WORKFLOWS, token=calm).status == 200
    assert limited.post("/api/v1/session", token=hasty).status == 200  # a change
    assert 'basecamp_requests_throttled_total{limit="reads"}' in limited.get("/metrics").text


def test_also_what_no_route_has_is_counted(limited: Any) -> None:
    hasty = token(limited, "hasty")
    statuses = [limited.get("/api/v1/nothing", token=hasty).status for _ in range(12)]
    assert statuses == [404] * 5 + [429] * 7


def test_a_dataset_is_started_once_a_second_and_a_repetition_passes(limited: Any) -> None:
    assert limited.register(NAME).status == 201
    one, other = token(limited, "one"), token(limited, "other")
    key = {"Idempotency-Key": "k1"}
    assert limited.post(RUN, {}, token=one, headers=key).status == 202
    again = limited.post(RUN, {}, token=other)
    assert (again.status, again.body["code"]) == (429, "DLI-503")
    assert again.headers["ratelimit-policy"] == '"runs";q=1;w=1'
    repeated = limited.post(RUN, {}, token=one, headers=key)
    assert (repeated.status, repeated.headers["idempotency-replayed"]) == (202, "true")
    assert limited.get(f"{WORKFLOWS}/history").body["total_count"] == 1


def test_nobody_uses_up_the_starts_of_another_team(limited: Any) -> None:
    assert limited.register(NAME, spec=limited.spec(NAME, team="ops")).status == 201
    stranger = token(limited, "stranger")
    body = {"name": "ops", "role": "operator", "teams": ["ops"]}
    ops = limited.post("/api/v1/tokens", body).body["token"]
    assert limited.post(RUN, {}, token=stranger).status == 404
    assert limited.post(RUN, {}, token=ops).status == 202


def test_the_token_of_this_machine_is_never_limited(limited: Any) -> None:
    assert limited.register(NAME).status == 201
    answers = [limited.post(RUN, {}) for _ in range(30)]
    assert {answer.status for answer in answers} == {202}
    assert "ratelimit" not in answers[0].headers
