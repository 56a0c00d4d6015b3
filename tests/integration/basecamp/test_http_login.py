"""Logins of people and of CI jobs over HTTP, with a real identity provider."""

import base64
import hmac
import json
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from basecamp.routes import record
from basecamp.settings import Settings
from dli.models.state import SourceType
from identity_provider import CLIENT, JOB, Provider, code_for

SESSION, WORKFLOWS = "/api/v1/session", "/api/v1/workflows"
NONCE = "n" * 32


def login(site: Any, provider: Provider, user: str, **changes: Any) -> Any:
    verifier = secrets.token_urlsafe(48)
    body = {
        "code": code_for(provider, user, verifier, NONCE),
        "code_verifier": verifier,
        "redirect_uri": provider.redirect_uri,
        "nonce": NONCE,
    }
    return site.post(f"{SESSION}/login", body | changes, token=None)


def test_a_stranger_is_told_where_to_log_in(federated: Any, provider: Provider) -> None:
    answer = federated.get(f"{SESSION}/provider", token=None)
    found = record.ProviderRecord.model_validate_json(answer.text)
    assert (found.issuer, found.client_id) == (provider.issuer, CLIENT)
    assert (found.authorization_endpoint or "").startswith(provider.issuer)
    assert found.scopes == ["openid", "email", "groups"]
    assert found.redirect_port == provider.redirect_port


def test_who_logs_in_gets_a_token_for_what_their_first_group_may(
    federated: Any, provider: Provider
) -> None:
    answer = login(federated, provider, "ana")
    assert answer.status == 201, answer.text
    made = record.NewTokenRecord.model_validate_json(answer.text)
    assert (made.name, made.role, made.teams) == ("ana@example.com", "owner", ["sales"])
    assert made.token is not None
    assert made.token.startswith("bcp_login_")
    assert 0 < (made.expires_at - made.created_at).total_seconds() <= 8 * 3600
    assert made.created_by == provider.issuer
    assert federated.get(WORKFLOWS, token=made.token).status == 200
    assert federated.get("/api/v1/tokens", token=made.token).status == 403
    listed = federated.get("/api/v1/audit?actor=ana@example.com")
    (entry,) = listed.body["entries"]
    assert (entry["action"], entry["resource"]) == ("session.login", made.token_id)
    assert entry["detail"]["subject"] == "ana"
    assert entry["detail"]["issuer"] == provider.issuer
    assert made.token not in listed.text
    assert (
        record.NewTokenRecord.model_validate_json(login(federated, provider, "bob").text).role
        == "viewer"
    )


def test_who_is_in_no_known_group_stays_out(federated: Any, provider: Provider) -> None:
    answer = login(federated, provider, "eve")
    assert (answer.status, answer.body["code"]) == (403, "DLI-803")
    assert federated.get("/api/v1/tokens").body["total_count"] == 0


def test_a_code_is_good_once_and_for_who_asked_for_it(federated: Any, provider: Provider) -> None:
    verifier = secrets.token_urlsafe(48)
    body = {
        "code": code_for(provider, "ana", verifier, NONCE),
        "code_verifier": verifier,
        "redirect_uri": provider.redirect_uri,
        "nonce": NONCE,
    }
    stolen = federated.post(f"{SESSION}/login", body | {"code_verifier": "v" * 50}, token=None)
    assert (stolen.status, stolen.body["code"]) == (401, "DLI-502")
    assert federated.post(f"{SESSION}/login", body, token=None).status == 201
    again = federated.post(f"{SESSION}/login", body, token=None)
    assert again.status == 401
    assert body["code"] not in again.text
    replayed = login(federated, provider, "ana", nonce="m" * 32)
    assert replayed.status == 401
    assert federated.get("/api/v1/tokens").body["total_count"] == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{port}/callback?x=1",
        "http://127.0.0.1:{port}/other",
        "http://localhost:{port}/callback",
        "http://127.0.0.1:1/callback",
        "https://evil.example/callback",
        "http://127.0.0.1:{port}/callback\n",
    ],
)
def test_no_code_is_redeemed_for_another_place(
    federated: Any, provider: Provider, address: str
) -> None:
    body = {"code": "c", "code_verifier": "v" * 43, "nonce": NONCE}
    given = address.format(port=provider.redirect_port)
    answer = federated.post(f"{SESSION}/login", {**body, "redirect_uri": given}, token=None)
    assert (answer.status, answer.body["code"]) == (422, "DLI-204")


def test_f39_wrong_logins_are_slowed_down_like_wrong_tokens(
    federated: Any, provider: Provider
) -> None:
    body = {"code_verifier": "v" * 43, "redirect_uri": provider.redirect_uri, "nonce": NONCE}
    statuses = [
        federated.post(f"{SESSION}/login", {"code": f"c{n}", **body}, token=None).status
        for n in range(6)
    ]
    statuses += [
        federated.post(f"{SESSION}/exchange", {"identity_token": "x"}, token=None).status
        for _ in range(6)
    ]
    assert statuses == [401] * 10 + [429] * 2
    assert federated.get(WORKFLOWS).status == 200
    metrics = federated.get("/metrics").text
    assert 'basecamp_auth_failures_total{reason="login"} 10.0' in metrics


def test_a_login_ends_with_its_session(federated: Any, provider: Provider) -> None:
    token = login(federated, provider, "ana").body["token"]
    assert federated.post(SESSION, token=token).body["name"] == "ana@example.com"
    assert federated.request("DELETE", SESSION, token=token).status == 200
    assert federated.get(WORKFLOWS, token=token).status == 401


def exchanged(site: Any, text: str) -> Any:
    return site.post(f"{SESSION}/exchange", {"identity_token": text}, token=None)


def test_a_job_gets_a_token_that_may_publish_and_nothing_else(
    federated: Any, provider: Provider
) -> None:
    answer = exchanged(federated, provider.signed(aud="basecamp-ci", sub="repo:acme", **JOB))
    assert answer.status == 201, answer.text
    made = record.NewTokenRecord.model_validate_json(answer.text)
    assert (made.name, made.scopes, made.teams) == ("ci", ["code:publish"], ["*"])
    assert (made.expires_at - made.created_at).total_seconds() == 3600
    assert made.token is not None
    assert made.token.startswith("bcp_ci_")
    spec = federated.spec("a.code")
    published = federated.post(f"{WORKFLOWS}/publish", {"specs": [spec]}, token=made.token)
    assert published.status == 200, published.text
    assert federated.get(f"{WORKFLOWS}/a.code").body["source_type"] == SourceType.CODE.value
    assert federated.get(WORKFLOWS, token=made.token).status == 403
    run = federated.post(f"{WORKFLOWS}/a.code/run", {}, token=made.token)
    assert run.status == 403
    (entry,) = federated.get("/api/v1/audit?actor=ci&action=session.exchange").body["entries"]
    assert entry["detail"]["subject"] == "repo:acme"


def unsigned(text: str) -> str:
    """The same token as somebody would make it who has no key."""
    head = encoded(b'{"alg":"none"}')
    return f"{head}.{text.split('.')[1]}."


def with_shared_secret(provider: Provider, text: str) -> str:
    """Signed with the public key as if that were a shared secret."""
    from joserfc.jwk import RSAKey

    public = RSAKey.import_key(provider.key).as_pem(private=False)
    head = encoded(json.dumps({"alg": "HS256", "kid": provider.key["kid"]}).encode())
    signed = f"{head}.{text.split('.')[1]}"
    return f"{signed}.{encoded(hmac.digest(public, signed.encode(), 'sha256'))}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_only_the_job_that_is_pinned_may_publish(federated: Any, provider: Provider) -> None:
    from joserfc.jwk import RSAKey

    federated.basecamp.site.guesses.count = lambda _: None
    good: dict[str, Any] = {"aud": "basecamp-ci", **JOB}
    text = provider.signed(**good)
    other_key = RSAKey.generate_key(2048).as_dict(private=True) | {"kid": provider.key["kid"]}
    refused = {
        "branch": provider.signed(**good | {"ref": "refs/heads/feature"}),
        "fork": provider.signed(**good | {"repository": "evil/pipelines"}),
        "no ref": provider.signed(**good | {"ref": None}),
        "longer": provider.signed(**good | {"repository": "acme/pipelines2"}),
        "list": provider.signed(**good | {"repository": ["acme/pipelines"]}),
        "for people": provider.signed(**JOB),
        "others, too": provider.signed(**good | {"aud": ["basecamp-ci", "other"]}),
        "expired": provider.signed(**good | {"exp": 1}),
        "no end": provider.signed(**good | {"exp": None}),
        "not yet": provider.signed(**good | {"nbf": 9_999_999_999}),
        "other issuer": provider.signed(**good | {"iss": "https://evil.example"}),
        "other key": replace(provider, key=other_key).signed(**good),
        "unknown key": provider.signed({"kid": "none"}, **good),
        "no signature": unsigned(text),
        "shared secret": with_shared_secret(provider, text),
        "changed": text[:-8] + "AAAAAAAA",
        "no token": "a.b.c",
        "noise": "\u20ac" * 100,
    }
    found = {why: exchanged(federated, token).status for why, token in refused.items()}
    assert found == dict.fromkeys(refused, 401)
    assert exchanged(federated, text).status == 201


def test_without_a_provider_nobody_logs_in(site: Any) -> None:
    body = {
        "code": "c",
        "code_verifier": "v" * 43,
        "redirect_uri": "http://127.0.0.1:80/callback",
        "nonce": NONCE,
    }
    assert site.post(f"{SESSION}/login", body, token=None).status == 404
    assert exchanged(site, "x").status == 404
    nowhere = site.get(f"{SESSION}/provider", token=None)
    fields = record.ProviderRecord.model_validate_json(nowhere.text).model_dump()
    assert set(fields.values()) == {None}


def test_a_provider_that_is_away_harms_only_logins(
    tmp_path: Path, site_type: Any, provider: Provider
) -> None:
    people = Settings.from_env(provider.settings(), project=tmp_path).people
    assert people is not None
    away = site_type(tmp_path, people=replace(people, issuer="http://127.0.0.1:9"))
    away.start()
    try:
        body = {
            "code": "c",
            "code_verifier": "v" * 43,
            "redirect_uri": provider.redirect_uri,
            "nonce": NONCE,
        }
        for answer in (
            away.get(f"{SESSION}/provider", token=None),
            away.post(f"{SESSION}/login", body, token=None),
        ):
            assert (answer.status, answer.body["code"]) == (503, "DLI-504")
            assert "retry-after" in answer.headers
        assert away.get(WORKFLOWS).status == 200
    finally:
        away.stop()
