"""One identity provider: its addresses, its keys, and whether a token of it holds."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from basecamp.provider.document import ProviderUnusableError, RedemptionRefusedError, fetch
from basecamp.provider.settings import is_trustworthy
from dli.exceptions import ConfigurationError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from joserfc.jwk import KeySet

    from basecamp.clock import Clock

Claims = dict[str, Any]

_BELIEVED_S = 3600.0
_ASKED_AGAIN_S = 30.0
"""An unknown key is looked for anew, but not for each forged token."""
_FAILED_S = 5.0
_SKEW_S = 60
_TEXT_MAX = 16 * 1024
_ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
"""Signatures that only the provider can make: no shared secret, and never `none`."""
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class NotVouchedError(Exception):
    """A token does not hold; its argument says why in a word, for the log."""


@dataclass(frozen=True)
class Redemption:
    """An authorization code and what shows that it was given to who brings it (RFC 7636)."""

    code: str
    code_verifier: str
    redirect_uri: str


def check_library() -> None:
    """Whether signatures can be checked here, before somebody needs it.

    Raises:
        ConfigurationError: the extra is not installed (DLI-001).
    """
    if find_spec("joserfc") is None:
        message = "Logins by an identity provider need the extra `oidc`: pip install 'dli[oidc]'"
        raise ConfigurationError(message)


class Issuer:
    """Used by many threads. Nothing is asked before somebody comes with a token or a code."""

    def __init__(
        self, url: str, clock: Clock, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self.url = url
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._endpoints: dict[str, str] | None = None
        self._keys: KeySet | None = None
        self._read_at = 0.0
        self._fault: ProviderUnusableError | None = None
        self._failed_at = 0.0

    def endpoints(self) -> dict[str, str]:
        """The addresses of the provider, as it publishes them.

        Raises:
            ProviderUnusableError: it does not, or not as one that can be trusted (DLI-504).
        """
        with self._lock:
            self._refresh()
            assert self._endpoints is not None
            return self._endpoints

    def redeem(self, redemption: Redemption, client_id: str, client_secret: str) -> str:
        """The signed token that the provider gives for a code.

        Raises:
            NotVouchedError: the code is not good, any more or for this client.
            ProviderUnusableError: no answer that means something (DLI-504).
        """
        form = {
            "grant_type": "authorization_code",
            "code": redemption.code,
            "code_verifier": redemption.code_verifier,
            "redirect_uri": redemption.redirect_uri,
            "client_id": client_id,
        }
        if client_secret:
            form["client_secret"] = client_secret
        try:
            answer = fetch(self.endpoints()["token_endpoint"], form)
        except RedemptionRefusedError as exc:
            raise NotVouchedError("code") from exc
        text = answer.get("id_token")
        if not isinstance(text, str):
            raise NotVouchedError("no_id_token")
        return text

    def verify(self, text: str, *, audience: str, nonce: str | None = None) -> Claims:
        """What a token says, if this provider signed it for `audience`, now and for this `nonce`.

        Raises:
            NotVouchedError: it does not hold.
            ProviderUnusableError: the keys cannot be had (DLI-504).
        """
        from joserfc.errors import JoseError

        if len(text) > _TEXT_MAX:
            raise NotVouchedError("too_long")
        claims = self._decoded(text)
        try:
            _check(claims, self.url, audience, nonce, int(self._clock.now().timestamp()))
        except JoseError as exc:
            raise NotVouchedError(str(getattr(exc, "claim", None) or exc.error)) from exc
        except (TypeError, ValueError) as exc:  # a claim of a type that it never has
            raise NotVouchedError("claims") from exc
        return claims

    def _decoded(self, text: str) -> Claims:
        from joserfc.errors import InvalidKeyIdError, JoseError
        from joserfc.jwt import decode

        for is_last in (False, True):
            with self._lock:
                keys, is_fresh = self._refresh(again=is_last)
            try:
                return dict(decode(text, keys, algorithms=_ALGORITHMS).claims)
            except InvalidKeyIdError as exc:
                if is_last or is_fresh:
                    raise NotVouchedError("unknown_key") from exc
            except JoseError as exc:
                raise NotVouchedError(exc.error) from exc
            except (ValueError, TypeError, KeyError, RecursionError) as exc:
                raise NotVouchedError("form") from exc
        raise AssertionError  # pragma: no cover - the second round returns or raises

    def _refresh(self, *, again: bool = False) -> tuple[KeySet, bool]:
        """Keys that are believed still, or as they are now; and whether they were read just now."""
        age_s = self._seconds() - self._read_at
        if self._keys is not None and age_s < (_ASKED_AGAIN_S if again else _BELIEVED_S):
            return self._keys, False
        if self._fault is not None and self._seconds() - self._failed_at < _FAILED_S:
            raise self._fault  # strangers ask, too: they shall not make us ask all the time
        try:
            self._read()
        except ProviderUnusableError as fault:
            self._fault, self._failed_at = fault, self._seconds()
            raise
        assert self._keys is not None
        return self._keys, True

    def _read(self) -> None:
        found = fetch(f"{self.url.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.url:
            raise _untrusted("names another issuer than BASECAMP_OIDC_ISSUER or BASECAMP_WORKLOADS")
        endpoints = {key: found[key] for key in _ENDPOINTS if isinstance(found.get(key), str)}
        if "jwks_uri" not in endpoints or not all(map(is_trustworthy, endpoints.values())):
            raise _untrusted("names no addresses that can be trusted")
        self._keys = _keys_in(fetch(endpoints["jwks_uri"]))
        self._endpoints = endpoints
        self._read_at = self._seconds()
        self._fault = None


def _keys_in(document: dict[str, Any]) -> KeySet:
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry, KeySet

    found = []
    listed = document.get("keys")
    for one in listed if isinstance(listed, list) else ():
        try:
            if one.get("kty") != "oct" and one.get("use", "sig") == "sig":
                found.append(JWKRegistry.import_key(one))
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue  # of a kind that we do not know
    if not found:
        raise _untrusted("publishes no key")
    return KeySet(found)


def _check(claims: Claims, issuer: str, audience: str, nonce: str | None, now: int) -> None:
    from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

    wanted: dict[str, ClaimsOption] = {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": audience},
        "sub": {"essential": True},
        "exp": {"essential": True},
        "iat": {"essential": True},
    }
    if nonce is not None:
        wanted["nonce"] = {"essential": True, "value": nonce}
    JWTClaimsRegistry(now=now, leeway=_SKEW_S, **wanted).validate(claims)
    for_us_alone = claims["aud"] in (audience, [audience])
    if not isinstance(claims["sub"], str) or claims.get("azp", audience) != audience:
        raise NotVouchedError("azp")
    if not for_us_alone and "azp" not in claims:
        raise NotVouchedError("azp")


def _untrusted(what: str) -> ProviderUnusableError:
    return ProviderUnusableError(f"The identity provider {what}.", code=ErrorCode.SERVER_EXECUTION)
