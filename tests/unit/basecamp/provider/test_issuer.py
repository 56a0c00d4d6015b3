"""A provider's tokens are believed when a key of it signed them, and only then."""

from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jwt import encode

from basecamp.provider import issuer
from basecamp.provider.document import ProviderUnusableError
from basecamp.provider.issuer import Issuer, NotVouchedError

URL = "https://login.example.com/realm"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class StoppedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class Seconds:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Pages:
    """What the provider publishes, and how often it was asked."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.document: dict[str, Any] = {
            "issuer": URL,
            "authorization_endpoint": f"{URL}/authorize",
            "token_endpoint": f"{URL}/token",
            "jwks_uri": f"{URL}/keys",
        }
        self.asked: list[str] = []
        self.is_away = False

    def fetch(self, url: str, _form: object = None) -> dict[str, Any]:
        self.asked.append(url)
        if self.is_away:
            raise ProviderUnusableError("away")
        return {"keys": self.keys} if url.endswith("/keys") else self.document


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Pages:
    found = Pages()
    monkeypatch.setattr(issuer, "fetch", found.fetch)
    return found


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def trusted(pages: Pages, seconds: Seconds) -> Issuer:
    return Issuer(URL, StoppedClock(), seconds)


def key(pages: Pages, kid: str) -> RSAKey:
    made = RSAKey.generate_key(2048, {"kid": kid})
    pages.keys.append(made.as_dict(private=False))
    return made


def signed(by: Any, kid: str | None = None, alg: str = "RS256", **changes: Any) -> str:
    at = int(NOW.timestamp())
    claims = {"iss": URL, "aud": "us", "sub": "ana", "iat": at, "exp": at + 60, **changes}
    return encode({"alg": alg, "kid": kid or by.kid}, claims, by, algorithms=[alg])


def test_a_new_key_is_found_and_forged_ones_make_nobody_ask(
    pages: Pages, trusted: Issuer, seconds: Seconds
) -> None:
    first = key(pages, "one")
    assert trusted.verify(signed(first), audience="us")["sub"] == "ana"
    assert len(pages.asked) == 2
    for _ in range(20):
        with pytest.raises(NotVouchedError, match="unknown_key"):
            trusted.verify(signed(first, kid="forged"), audience="us")
    assert len(pages.asked) == 2
    second = key(pages, "two")
    seconds.now += 31
    assert trusted.verify(signed(second), audience="us")["sub"] == "ana"
    assert len(pages.asked) == 4
    pages.keys.pop(0)
    seconds.now += 3601
    with pytest.raises(NotVouchedError):
        trusted.verify(signed(first), audience="us")


def test_other_kinds_of_keys_do_no_harm(pages: Pages, trusted: Issuer) -> None:
    elliptic = ECKey.generate_key("P-256", {"kid": "ec"})
    shared = OctKey.generate_key(256, {"kid": "shared"})
    pages.keys += [{"kty": "new"}, shared.as_dict(private=True), elliptic.as_dict(private=False)]
    assert trusted.verify(signed(elliptic, alg="ES256"), audience="us")["sub"] == "ana"
    with pytest.raises(NotVouchedError):
        trusted.verify(signed(shared, alg="HS256"), audience="us")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": URL + "/"}, "iss"),
        ({"aud": "them"}, "aud"),
        ({"aud": ["us", "them"]}, "azp"),
        ({"azp": "them"}, "azp"),
        ({"exp": 1}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"iat": 9_999_999_999}, "iat"),
        ({"nbf": 9_999_999_999}, "nbf"),
        ({"nonce": "another"}, "nonce"),
        ({"sub": 7}, "sub"),
        ({"sub": ""}, "sub"),
    ],
)
def test_a_claim_that_is_wrong(
    pages: Pages, trusted: Issuer, changes: dict[str, Any], why: str
) -> None:
    own = key(pages, "one")
    good = {"nonce": "n"}
    assert trusted.verify(signed(own, **good), audience="us", nonce="n")
    with pytest.raises(NotVouchedError, match=why):
        trusted.verify(signed(own, **good | changes), audience="us", nonce="n")


def test_a_token_without_the_nonce_is_for_another_login(pages: Pages, trusted: Issuer) -> None:
    with pytest.raises(NotVouchedError, match="nonce"):
        trusted.verify(signed(key(pages, "one")), audience="us", nonce="n")


@pytest.mark.parametrize("text", ["", ".", "a.b.c", "a.b.c.d.e", "\0", "e30.e30.e30", "x" * 20_000])
def test_what_is_no_token(pages: Pages, trusted: Issuer, text: str) -> None:
    key(pages, "one")
    with pytest.raises(NotVouchedError):
        trusted.verify(text, audience="us")


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"jwks_uri": "http://login.example.com/keys"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"authorization_endpoint": "https://u:p@login.example.com/"},
    ],
)
def test_a_provider_that_cannot_be_trusted(
    pages: Pages, trusted: Issuer, change: dict[str, Any]
) -> None:
    key(pages, "one")
    pages.document |= change
    with pytest.raises(ProviderUnusableError) as refused:
        trusted.endpoints()
    assert refused.value.code == "DLI-504"


def test_a_provider_that_is_away_is_not_asked_all_the_time(
    pages: Pages, trusted: Issuer, seconds: Seconds
) -> None:
    key(pages, "one")
    pages.is_away = True
    for _ in range(5):
        with pytest.raises(ProviderUnusableError):
            trusted.endpoints()
    assert len(pages.asked) == 1
    pages.is_away = False
    seconds.now += 6
    assert trusted.endpoints()["token_endpoint"] == f"{URL}/token"
