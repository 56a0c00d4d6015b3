"""No route answers a stranger, unless it is one of the three that may."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from basecamp.app import create_app
from basecamp.auth import PUBLIC
from basecamp.routes.route import ApiRoute

OPENAPI = "/api/v1/openapi.json"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def operations(site: Any) -> list[tuple[str, str]]:
    paths = site.get(OPENAPI).body["paths"]
    return [(method.upper(), path) for path, item in paths.items() for method in item]


def test_every_route_but_the_public_ones_needs_a_token(shared_site: Any) -> None:
    found = operations(shared_site)
    assert len(found) > 15
    for method, path in found:
        answer = shared_site.request(method, path.replace("{", "").replace("}", ""), token=None)
        if (method, path) in PUBLIC:
            assert answer.status == (400 if method == "POST" else 200), path  # without a body
        else:
            assert (answer.status, answer.body["code"]) == (401, "DLI-502"), path


def test_every_route_is_guarded_and_described(shared_site: Any) -> None:
    app = create_app(shared_site.basecamp)._app
    assert isinstance(app, FastAPI)
    contexts = list(iter_route_contexts(app.routes))
    assert {type(context.original_route) for context in contexts} == {ApiRoute}
    routed = [(method, c.path) for c in contexts for method in c.methods or ()]
    assert sorted(routed) == sorted(operations(shared_site))


@pytest.mark.parametrize("name", ["livez", "readyz", "health", "x.health", "metrics", "a.livez"])
@pytest.mark.parametrize("method", METHODS)
def test_f44_a_name_that_ends_like_a_public_route_opens_nothing(
    shared_site: Any, name: str, method: str
) -> None:
    for path in (f"/api/v1/workflows/{name}", f"/api/v1/{name}/", f"/{name}/x", f"//{name}"):
        assert shared_site.request(method, path, token=None).status == 401


@pytest.mark.parametrize("method", [method for method in METHODS if method != "GET"])
def test_public_routes_are_public_for_reading_only(shared_site: Any, method: str) -> None:
    assert shared_site.request(method, "/livez", token=None).status == 401


def test_both_headers_carry_the_token(shared_site: Any) -> None:
    token = shared_site.basecamp.token
    path = "/api/v1/workflows"
    assert shared_site.get(path, token=None, headers={"X-API-Key": token}).status == 200
    assert shared_site.get(path, headers={"Authorization": f"bearer {token}"}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic Ynl0ZXM="},
        {"Authorization": "Bearer wrong"},
        {"X-API-Key": ""},
        {"X-API-Key": "\xff\xfe"},
        {"X-API-Key": "wrong", "Authorization": "Bearer TOKEN"},
    ],
)
def test_wrong_and_missing_tokens_look_the_same(shared_site: Any, headers: dict[str, str]) -> None:
    sent = {k: v.replace("TOKEN", shared_site.basecamp.token) for k, v in headers.items()}
    answer = shared_site.get("/api/v1/workflows", token=None, headers=sent)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.body["detail"] == "A valid token is needed."


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.", "[::2]"]
)
def test_f40_other_host_names_are_misdirected(shared_site: Any, host: str) -> None:
    answer = shared_site.get("/livez", headers={"Host": host})
    assert (answer.status, answer.body["code"]) == (421, "DLI-201")


def test_two_host_names_are_one_too_many(shared_site: Any) -> None:
    for first, second in (("localhost", "evil.example"), ("evil.example", "localhost")):
        asked = f"GET /livez HTTP/1.1\r\nHost: {first}\r\nHost: {second}\r\n\r\n"
        assert shared_site.raw(asked.encode()).startswith(b"HTTP/1.1 421 ")


@pytest.mark.parametrize(
    "path",
    [
        *("//evil.example/", "/%2f%2fevil.example/", "/livez/", "/livez?next=//evil.example"),
        *("/api/v1/workflows/", "/api/v1//workflows", "/api/v1/workflows/?next=//evil.example"),
    ],
)
def test_f42_nothing_redirects(shared_site: Any, path: str) -> None:
    answer = shared_site.get(path)
    assert answer.status in (400, 404)
    assert "location" not in answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1234", "LOCALHOST", "[::1]:80"])
def test_own_host_names_are_served(shared_site: Any, host: str) -> None:
    assert shared_site.get("/livez", headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "path", ["/livez", "/api/v1/workflows", "/nothing", "/api/v1/openapi.json"]
)
def test_every_answer_has_the_security_headers(shared_site: Any, path: str) -> None:
    headers = shared_site.get(path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


def test_f34_a_valid_request_id_is_kept_and_another_is_not(shared_site: Any) -> None:
    kept = shared_site.get("/livez", headers={"X-Request-Id": "abc-123.4:5_6"})
    assert kept.headers["x-request-id"] == "abc-123.4:5_6"
    for bad in ("a b", "", "x" * 129, "ä", '{"a":1}'):
        replaced = shared_site.get("/livez", headers={"X-Request-Id": bad.encode("latin-1")})
        assert len(replaced.headers["x-request-id"]) == 24


def test_the_description_is_true_to_the_answers(shared_site: Any) -> None:
    description = shared_site.get(OPENAPI).body
    references = json.dumps(description).split('"$ref": "#/components/schemas/')[1:]
    named = {reference.split('"')[0] for reference in references}
    assert named <= description["components"]["schemas"].keys()
    assert "HTTPValidationError" not in named
    for path, item in description["paths"].items():
        for method, operation in item.items():
            is_public = (method.upper(), path) in PUBLIC
            is_login = is_public and method == "post"
            assert ("401" in operation["responses"]) == (is_login or not is_public)
            assert bool(operation["security"]) != is_public
            assert ("415" in operation["responses"]) == ("requestBody" in operation)
            for status, response in operation["responses"].items():
                kinds = set(response.get("content", {}))
                assert (
                    int(status) < 400 or "health" in path or kinds == {"application/problem+json"}
                )


def test_parameters_in_the_description_are_those_of_the_contract(shared_site: Any) -> None:
    paths = shared_site.get(OPENAPI).body["paths"]

    def query(path: str) -> set[str]:
        return {p["name"] for p in paths[path]["get"].get("parameters", ()) if p["in"] == "query"}

    assert query("/api/v1/workflows") == {
        *("source_type", "status", "dataset", "owner", "running", "enabled", "limit", "offset")
    }
    assert query("/api/v1/workflows/history") == {
        *("dataset", "source_type", "status", "run_type", "start_date", "end_date"),
        *("limit", "offset"),
    }
    assert query("/api/v1/workflows/runs/{run_id}") == {"wait"}
    assert query("/api/v1/workflows/runs/{run_id}/logs") == {"after", "limit", "wait"}
    for path, item in paths.items():
        for method, operation in item.items():
            headers = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "header"]
            takes_key = method in ("post", "delete") and (method.upper(), path) not in PUBLIC
            assert headers == (["idempotency-key"] if takes_key else []), path


def test_metrics_count_what_happened(site: Any) -> None:
    site.register()
    site.end_run(site.start_run(), "FAILED")
    site.start_run()
    site.get("/api/v1/workflows", token="wrong")
    text = site.get("/metrics").text
    assert 'basecamp_runs_total{kind="adhoc",state="FAILED"} 1.0' in text
    assert 'basecamp_queue_depth{state="PENDING"} 1.0' in text
    assert 'basecamp_auth_failures_total{reason="wrong"} 1.0' in text
    assert (
        'basecamp_http_request_duration_seconds_count{method="POST",'
        'route="/api/v1/workflows/{dataset_name}/run",status="202"} 2.0'
    ) in text


def test_health_follows_the_engine(site: Any) -> None:
    assert site.get("/api/v1/health").body.keys() == {"status", "version", "time"}
    site.engine.state = {"ok": False, "scheduler": "stopped"}
    for path in ("/readyz", "/api/v1/health"):
        answer = site.get(path)
        assert (answer.status, answer.body["code"]) == (503, "DLI-504")
    detail = site.get("/api/v1/health/extended")
    assert detail.status == 503
    assert detail.body["parts"]["scheduler"] == "stopped"
    assert site.get("/livez").status == 200


def test_f39_guessing_tokens_is_slowed_down(site: Any) -> None:
    statuses = [site.get("/api/v1/workflows", token=f"wrong{n}").status for n in range(11)]
    assert statuses == [401] * 10 + [429]
    limited = site.get("/nothing", token="wrong")
    assert (limited.status, limited.body["code"]) == (429, "DLI-503")
    assert 0 < int(limited.headers["retry-after"]) <= 60
    assert site.get("/api/v1/workflows").status == 200
