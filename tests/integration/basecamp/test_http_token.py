"""Tokens over HTTP: made, used, rotated, revoked; and what no detour gives a right to."""

import threading
from typing import Any

import pytest

from basecamp.routes import record

TOKENS, SESSION, WORKFLOWS = "/api/v1/tokens", "/api/v1/session", "/api/v1/workflows"
SALES, OPS = "shop.sales.daily", "shop.ops.daily"


def make(site: Any, name: str, role: str = "owner", teams: Any = ("sales",), **more: Any) -> Any:
    body = {"name": name, "role": role, "teams": list(teams), **more}
    answer = site.post(TOKENS, body)
    assert answer.status == 201, answer.text
    record.NewTokenRecord.model_validate_json(answer.text)
    return answer.body


def test_a_token_is_made_listed_rotated_and_revoked(site: Any) -> None:
    made = make(site, "ci", "operator", scopes=["run:create"], also=["sql:run"], expires_in_hours=5)
    assert made["scopes"] == ["run:create", "sql:run"]
    answer = site.get(f"{TOKENS}?ended=true&limit=10&offset=0")
    record.TokenPage.model_validate_json(answer.text)
    (listed,) = answer.body["tokens"]
    assert made["token"] not in answer.text
    rotated = site.post(f"{TOKENS}/{listed['token_id']}/rotate", {"overlap_hours": 1})
    assert rotated.status == 201
    assert rotated.body["scopes"] == made["scopes"]
    revoked = site.post(f"{TOKENS}/{listed['token_id']}/revoke", {"reason": "leaked"})
    assert record.TokenChangeRecord.model_validate_json(revoked.text).state == "revoked"
    assert site.get(WORKFLOWS, token=made["token"]).status == 401
    assert site.get(TOKENS).body["total_count"] == 1
    unknown = site.post(f"{TOKENS}/tok_none/revoke")
    assert (unknown.status, unknown.body["code"]) == (404, "DLI-201")


def test_a_name_in_use_and_a_value_that_cannot_be(site: Any) -> None:
    make(site, "ci")
    taken = site.post(TOKENS, {"name": "ci", "role": "viewer", "teams": ["sales"]})
    assert (taken.status, taken.body["code"]) == (409, "DLI-201")
    teamless = site.post(TOKENS, {"name": "x", "role": "viewer"})
    assert (teamless.status, teamless.body["code"]) == (422, "DLI-204")
    strange = site.post(TOKENS, {"name": "x", "role": "emperor"})
    assert strange.status == 422


def test_a_session_tells_who_somebody_is_and_is_audited(site: Any) -> None:
    token = make(site, "ana")["token"]
    for method in ("POST", "DELETE"):
        answer = site.request(method, SESSION, token=token)
        found = record.IdentityRecord.model_validate_json(answer.text)
        assert (found.name, found.role, found.teams) == ("ana", "owner", ["sales"])
    entries = site.get("/api/v1/audit?actor=ana").body["entries"]
    assert [entry["action"] for entry in entries] == ["session.close", "session.open"]


def test_revoked_expired_and_unknown_look_the_same(site: Any) -> None:
    gone = make(site, "gone")
    site.post(f"{TOKENS}/{gone['token_id']}/revoke")
    unknown = gone["token"][:-1] + ("A" if gone["token"][-1] != "A" else "B")
    answers = [site.get(WORKFLOWS, token=token) for token in (gone["token"], unknown, "x")]
    bodies = [{**answer.body, "request_id": ""} for answer in answers]
    assert bodies == [bodies[0]] * 3
    assert bodies[0]["status"] == 401


def test_guessing_with_a_revoked_token_is_slowed_down_and_a_good_one_passes(site: Any) -> None:
    gone, good = make(site, "gone"), make(site, "good")
    site.post(f"{TOKENS}/{gone['token_id']}/revoke")
    statuses = [site.get(WORKFLOWS, token=gone["token"]).status for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert site.get(WORKFLOWS, token=good["token"]).status == 200


def test_f45_a_revoked_token_ends_a_request_that_waits(site: Any) -> None:
    site.register(SALES)
    run_id = site.start_run(SALES)
    made = make(site, "waiting", "viewer")
    answers: list[Any] = []
    path = f"{WORKFLOWS}/runs/{run_id}?wait=30"
    waiting = threading.Thread(target=lambda: answers.append(site.get(path, token=made["token"])))
    waiting.start()
    site.wait_until(lambda: site.basecamp.site.watch._waiting)
    site.post(f"{TOKENS}/{made['token_id']}/revoke")
    waiting.join(10)
    assert [answer.status for answer in answers] == [401]


def test_nobody_takes_a_name_from_another_team_or_gives_one_away(site: Any) -> None:
    site.register(OPS, spec=site.spec(OPS, team="ops"))
    sales = make(site, "sales")["token"]
    assert site.register(SALES, spec=site.spec(SALES), force=True).status == 201

    def statuses(name: str, team: str) -> set[int]:
        spec = site.spec(name, team=team)
        body = {"dataset_name": name, "cron": "0 6 * * *", "spec": spec, "force": True}
        return {
            site.post(f"{WORKFLOWS}/register", body, token=sales).status,
            site.post("/api/v1/datasets", {"spec": spec, "force": True}, token=sales).status,
        }

    assert statuses(OPS, "sales") == {403}
    assert statuses(OPS, "ops") == {403}
    assert statuses(SALES, "ops") == {403}
    assert statuses("shop.ops.new", "ops") == {403}
    assert site.get(f"{WORKFLOWS}/{OPS}").body["team"] == "ops"


def test_a_name_stays_with_its_team_when_the_workflow_goes(site: Any) -> None:
    site.register(OPS, spec=site.spec(OPS, team="ops"))
    run_id = site.start_run(OPS)
    assert site.request("DELETE", f"{WORKFLOWS}/{OPS}").status == 200
    sales, ops = make(site, "sales")["token"], make(site, "ops", teams=["ops"])["token"]
    body = {"dataset_name": OPS, "cron": "0 6 * * *", "spec": site.spec(OPS)}
    assert site.post(f"{WORKFLOWS}/register", body, token=sales).status == 403
    assert site.get(f"{WORKFLOWS}/runs/{run_id}", token=sales).status == 404
    assert site.get(f"{WORKFLOWS}/history", token=sales).body["total_count"] == 0
    assert site.get(f"{WORKFLOWS}/history", token=ops).body["total_count"] == 1
    # Somebody of both teams passes it on, with its history.
    both = make(site, "both", teams=["ops", "sales"])["token"]
    assert site.post(f"{WORKFLOWS}/register", body, token=both).status == 201
    assert site.get(f"{WORKFLOWS}/runs/{run_id}", token=sales).status == 200
    assert site.get(f"{WORKFLOWS}/runs/{run_id}", token=ops).status == 404


def test_code_is_published_with_a_scope_of_its_own_and_changed_by_no_other(site: Any) -> None:
    token = make(site, "ci", "viewer", ["*"], scopes=[], also=["code:publish"])["token"]
    body = {"specs": [site.spec(SALES), site.spec(OPS, team="ops")]}
    assert site.post(f"{WORKFLOWS}/publish", body, token=token).status == 200
    assert site.get(WORKFLOWS, token=token).status == 403
    owner = make(site, "owner")["token"]
    assert site.post(f"{WORKFLOWS}/publish", body, token=owner).status == 403
    refused = [
        site.request("DELETE", f"{WORKFLOWS}/{SALES}", token=owner),
        site.post(
            f"{WORKFLOWS}/register",
            {"dataset_name": SALES, "cron": "0 6 * * *", "spec": site.spec(SALES), "force": True},
            token=owner,
        ),
        site.post("/api/v1/datasets", {"spec": site.spec(SALES), "force": True}, token=owner),
    ]
    assert {(answer.status, answer.body["code"]) for answer in refused} == {(403, "DLI-803")}
    assert site.post(f"{WORKFLOWS}/{SALES}/pause", token=owner).status == 200


def test_a_publisher_of_one_team_leaves_those_of_others_alone(site: Any) -> None:
    site.publish(SALES)
    assert site.post(f"{WORKFLOWS}/publish", {"specs": [site.spec(OPS, team="ops")]}).status == 200
    token = make(site, "sales-ci", also=["code:publish"])["token"]
    for specs in ([], [site.spec(SALES)], [site.spec(OPS)], [site.spec(OPS, team="sales")]):
        for dry_run in (True, False):
            body = {"specs": specs, "dry_run": dry_run}
            answer = site.post(f"{WORKFLOWS}/publish", body, token=token)
            assert (answer.status, answer.body["code"]) == (403, "DLI-803")
    kept = [site.spec(OPS, team="ops"), site.spec(SALES)]
    assert site.post(f"{WORKFLOWS}/publish", {"specs": kept}, token=token).status == 200


@pytest.mark.parametrize("path", ["run", "backfill", "pause", "unpause"])
def test_a_stored_answer_is_not_for_who_lost_the_right(site: Any, path: str) -> None:
    site.register(SALES)
    headers = {"Idempotency-Key": "one"}
    body = {"start_date": "2026-01-01", "end_date": "2026-01-01"} if path == "backfill" else {}
    made = make(site, "ana")
    site.post(f"{WORKFLOWS}/{SALES}/{path}", body, token=made["token"], headers=headers)
    site.post(f"{TOKENS}/{made['token_id']}/revoke")
    viewer = make(site, "ana", "viewer")["token"]
    again = site.post(f"{WORKFLOWS}/{SALES}/{path}", body, token=viewer, headers=headers)
    assert (again.status, again.body["code"]) == (403, "DLI-803")


def test_rows_need_a_scope_of_their_own(site: Any) -> None:
    site.register(SALES)
    token = make(site, "names", "viewer", scopes=["dataset:read"])["token"]
    path = f"/api/v1/catalog/tables/{SALES}"
    refused = site.get(f"{path}?include_sample=true", token=token)
    assert (refused.status, refused.body["code"]) == (403, "DLI-803")
