"""A real OpenID provider (Canaille) as a process, and somebody with a browser who logs in there.

Run as a program it is the provider (`serve`) or the browser (`browse`).
"""

import base64
import hashlib
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import (
    HTTPCookieProcessor,
    HTTPRedirectHandler,
    OpenerDirector,
    Request,
    build_opener,
)

CLIENT, PASSWORD = "basecamp", "correct horse battery"
JOB: dict[str, Any] = {"repository": "acme/pipelines", "ref": "refs/heads/main"}
"""Claims of the job that may publish."""
GROUPS = {"data-eng": ["ana"], "analysts": ["ana", "bob"], "strangers": ["eve"]}


@dataclass(frozen=True)
class Provider:
    """Where the provider is, and the key that it signs with."""

    issuer: str
    key: dict[str, Any]
    redirect_port: int

    @property
    def redirect_uri(self) -> str:
        return f"http://127.0.0.1:{self.redirect_port}/callback"

    def settings(self, **more: str) -> dict[str, str]:
        """What a Basecamp is told about it."""
        groups = {
            "data-eng": {"role": "owner", "teams": ["sales"]},
            "analysts": {"role": "viewer", "teams": ["ops"]},
        }
        return {
            "BASECAMP_OIDC_ISSUER": self.issuer,
            "BASECAMP_OIDC_CLIENT_ID": CLIENT,
            "BASECAMP_OIDC_GROUPS": json.dumps(groups),
            "BASECAMP_OIDC_SCOPES": "openid email groups",
            "BASECAMP_OIDC_REDIRECT_PORT": str(self.redirect_port),
            **more,
        }

    def signed(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token as the provider would sign it; a change to None takes a claim away."""
        from joserfc.jwk import RSAKey
        from joserfc.jwt import encode

        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "ana", "iat": now, "exp": now + 300}
        given = {key: value for key, value in (claims | changes).items() if value is not None}
        head = {"alg": "RS256", "kid": self.key["kid"], **(header or {})}
        return encode(head, given, RSAKey.import_key(self.key))


@contextmanager
def running() -> Iterator[Provider]:
    """A provider with people in groups, for the time of the block."""
    port = _free_port()
    command = [sys.executable, "-W", "ignore", __file__, "serve", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "the identity provider did not start"
            yield Provider(**json.loads(line), redirect_port=port)
        finally:
            process.kill()


def browse(url: str, user: str, *, follow: bool = True) -> str:
    """Log in as somebody does in a browser; the page that they see at the end."""
    opener = build_opener(HTTPCookieProcessor(CookieJar()), *([] if follow else [_Watcher()]))
    opener.open(url, timeout=30).read()
    home = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    _post(opener, f"{home}/login", login=user)
    consent = _post(opener, f"{home}/auth/password", password=PASSWORD)
    if "/callback?" in consent[0]:  # this client was accepted before
        return consent[1]
    return _post(opener, consent[0], answer="accept")[1]


class _ArrivedError(Exception):
    """The provider sends the browser back; the argument is where to."""


class _Watcher(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        if "/callback?" in newurl:
            raise _ArrivedError(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def code_for(provider: Provider, user: str, verifier: str, nonce: str) -> str:
    """The code that the browser of somebody who logs in brings back."""
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": provider.redirect_uri,
        "scope": "openid email groups",
        "state": "state",
        "nonce": nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    try:
        browse(f"{provider.issuer}/oauth/authorize?{urlencode(query)}", user, follow=False)
    except _ArrivedError as arrived:
        (code,) = parse_qs(urlsplit(str(arrived)).query)["code"]
        return code
    raise AssertionError("the provider did not send the browser back")


def _post(opener: OpenerDirector, url: str, **form: str) -> tuple[str, str]:
    with opener.open(url, urlencode(form).encode(), timeout=30) as answer:
        return answer.url, answer.read().decode()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _serve(redirect_port: int) -> None:
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    from canaille import create_app  # type: ignore[import-untyped]
    from joserfc.jwk import RSAKey

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None: ...

    httpd = make_server("127.0.0.1", 0, _nothing, handler_class=Quiet)
    key = RSAKey.generate_key(2048)
    key.ensure_kid()
    private = key.as_dict(private=True)
    app = create_app(
        config={
            "TESTING": True,
            "ENV_FILE": None,
            "SECRET_KEY": secrets.token_hex(),
            "WTF_CSRF_ENABLED": False,
            "PREFERRED_URL_SCHEME": "http",
            "SERVER_NAME": f"127.0.0.1:{httpd.server_port}",
            "CANAILLE": {
                "DATABASE": "memory",
                "JAVASCRIPT": False,
                "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}},
                "LOGGING": {"version": 1},
            },
            "CANAILLE_OIDC": {"TRUSTED_DOMAINS": [], "ACTIVE_JWKS": [private]},
        }
    )
    with app.app_context():
        _populate(f"http://127.0.0.1:{redirect_port}/callback")
    httpd.set_app(app)
    found = {"issuer": f"http://127.0.0.1:{httpd.server_port}", "key": private}
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    httpd.serve_forever()


def _nothing(*_: Any) -> Any:
    raise NotImplementedError


def _populate(redirect_uri: str) -> None:
    from canaille.app import models  # type: ignore[import-untyped]
    from canaille.backends import Backend  # type: ignore[import-untyped]

    people = {}
    for name in sorted({one for members in GROUPS.values() for one in members}):
        people[name] = models.User(
            user_name=name,
            family_name=name,
            formatted_name=name,
            emails=[f"{name}@example.com"],
            password=PASSWORD,
        )
        Backend.instance.save(people[name])
    for group, members in GROUPS.items():
        Backend.instance.save(
            models.Group(display_name=group, members=[people[name] for name in members])
        )
    client = models.Client(
        client_id=CLIENT,
        client_name="Basecamp",
        redirect_uris=[redirect_uri],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "email", "groups"],
        token_endpoint_auth_method="none",
    )
    Backend.instance.save(client)
    client.audience = [client]
    Backend.instance.save(client)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve(int(sys.argv[2]))
    else:
        sys.stdout.write(browse(sys.argv[2], os.environ["BROWSER_USER"]))
