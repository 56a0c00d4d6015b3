"""A repeated request with one idempotency key has one effect and one answer."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

NAME = "shop.sales.daily"
RUN = f"/api/v1/workflows/{NAME}/run"
KEY = {"Idempotency-Key": "key 1~"}


def test_the_same_request_gets_the_first_answer_again(site: Any) -> None:
    site.register()
    first = site.post(RUN, {}, headers=KEY)
    again = site.post(RUN, {}, headers=KEY)
    assert (first.status, first.body) == (again.status, again.body)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert site.get("/api/v1/workflows/history").body["total_count"] == 1


def test_another_body_under_the_key_is_refused(site: Any) -> None:
    site.register()
    site.post(RUN, {}, headers=KEY)
    answer = site.post(RUN, {"dry_run": False}, headers=KEY)
    assert (answer.status, answer.body["code"]) == (422, "DLI-204")


def test_a_key_belongs_to_one_path(site: Any) -> None:
    site.register()
    site.register("b.two")
    first = site.post(RUN, {}, headers=KEY)
    other = site.post("/api/v1/workflows/b.two/run", {}, headers=KEY)
    assert first.body["run_id"] != other.body["run_id"]


def test_f24_forty_requests_at_once_make_one_run(site: Any) -> None:
    site.register()
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: site.post(RUN, {}, headers=KEY), range(40)))
    assert {answer.status for answer in answers} == {202}
    assert len({answer.body["run_id"] for answer in answers}) == 1
    assert site.get("/api/v1/workflows/history").body["total_count"] == 1


def test_refusals_of_the_form_are_not_stored(site: Any) -> None:
    assert site.post(RUN, {"dry_run": 1}, headers=KEY).status == 400
    site.register()
    assert site.post(RUN, {}, headers=KEY).status == 202


def test_a_stored_refusal_comes_again(site: Any) -> None:
    pause = f"/api/v1/workflows/{NAME}/pause"
    first = site.post(pause, headers=KEY)
    site.register()
    again = site.post(pause, headers=KEY)
    assert (first.status, again.status) == (404, 404)
    assert again.headers["idempotency-replayed"] == "true"


def test_publishing_and_deleting_take_keys(site: Any) -> None:
    body = {"specs": [site.spec("a.one")]}
    first = site.post("/api/v1/workflows/publish", body, headers=KEY)
    again = site.post("/api/v1/workflows/publish", body, headers=KEY)
    assert again.body == first.body
    assert again.body["added"] == ["a.one"]
    site.register()
    removed = [site.request("DELETE", f"/api/v1/workflows/{NAME}", headers=KEY) for _ in range(2)]
    assert [answer.status for answer in removed] == [200, 200]


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "\xe4"])
def test_a_key_must_be_printable_ascii(site: Any, key: str) -> None:
    answer = site.post(RUN, {}, headers={"Idempotency-Key": key})
    assert (answer.status, answer.body["code"]) == (400, "DLI-201")


def test_two_keys_are_none(site: Any) -> None:
    site.register()
    answer = site.raw(
        f"POST {RUN} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {site.basecamp.token}\r\n"
        "Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: 0\r\n\r\n".encode()
    )
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_reading_ignores_the_key(site: Any) -> None:
    assert site.get("/api/v1/workflows", headers=KEY).status == 200
