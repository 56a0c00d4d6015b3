"""A login in the browser: sent to the provider, brought back to this machine (RFC 8252)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import queue
import secrets
import threading
import time
import webbrowser
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from dli.api.reply import record_of
from dli.cli.output import note
from dli.exceptions import ConfigurationError, ErrorCode, ServerError

if TYPE_CHECKING:
    from dli.client.basecamp import BasecampClient
    from dli.client.response import Record

__all__ = ["log_in"]

_PATIENCE_S = 300.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FIELDS = ("issuer", "client_id", "authorization_endpoint")
_DONE = "You are logged in. You may close this page."
_NOT_DONE = "You are not logged in. The command line tells more."
_NOT_OURS = "This is no answer to a login of the command line."


@dataclass(frozen=True)
class _Attempt:
    """What one login is told apart by; nobody else can know it."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def log_in(
    client: BasecampClient, provider: Record, *, opens: bool, patience_s: float = _PATIENCE_S
) -> Record:
    """The answer of the server to a login that somebody does in a browser meanwhile.

    Raises:
        ServerError: the provider or the server refused, or nobody came back in time (502).
        ConfigurationError: the port that the login needs is in use (001).
    """
    endpoint = _checked(provider)
    attempt = _Attempt()
    with _Arrivals(provider["redirect_port"] or 0, attempt.state, provider["issuer"]) as arrivals:
        query = {
            "response_type": "code",
            "client_id": provider["client_id"],
            "redirect_uri": arrivals.url,
            "scope": " ".join(provider["scopes"] or ["openid"]),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        address = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"
        note("Open this address to log in:")
        note(address)
        if opens:
            webbrowser.open(address)
        code = arrivals.wait(patience_s)
        wanted = {
            "code": code,
            "code_verifier": attempt.verifier,
            "redirect_uri": arrivals.url,
            "nonce": attempt.nonce,
        }
    return record_of(client.session_login(wanted))


def _checked(provider: Record) -> str:
    """The address to open, if a browser should: a server could name anything."""
    if not all(isinstance(provider.get(key), str) for key in _FIELDS):
        raise _failed("The server does not say where to log in")
    endpoint: str = provider["authorization_endpoint"]
    parts = urlsplit(endpoint)
    is_local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (parts.hostname and (parts.scheme == "https" or is_local)):
        raise _failed("The server names an address that is not safe to log in at")
    return endpoint


class _Arrivals:
    """Waits on this machine's own address for the browser to come back."""

    def __init__(self, port: int, state: str, issuer: str) -> None:
        self._state = state
        self._issuer = issuer
        self._found: queue.SimpleQueue[tuple[str | None, str]] = queue.SimpleQueue()
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), self._door())
        except OSError as error:
            message = f"The login needs port {port} of this machine: {error.strerror}"
            raise ConfigurationError(message) from error
        self._host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self._host}/callback"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, patience_s: float) -> str:
        """The code that the browser brings.

        Raises:
            ServerError: it brings a refusal, or does not come (502).
        """
        end = time.monotonic() + patience_s
        while (left_s := end - time.monotonic()) > 0:
            try:
                code, why = self._found.get(timeout=min(left_s, 0.5))  # Ctrl-C is heard between
            except queue.Empty:
                continue
            if code is None:
                raise _failed(why)
            return code
        raise _failed("Nobody logged in within five minutes")

    def answer(self, host: str | None, target: str) -> tuple[int, str]:
        """Status and text for one request; only the answer to this very login ends the waiting."""
        parts = urlsplit(target)
        fields = parse_qs(parts.query)
        state = fields.get("state", [""])
        is_ours = parts.path == "/callback" and host == self._host and len(state) == 1
        if not is_ours or not hmac.compare_digest(state[0].encode(), self._state.encode()):
            return 404, _NOT_OURS
        if fields.get("iss", [self._issuer]) != [self._issuer]:
            return self._refused("The answer comes from another identity provider")
        codes = fields.get("code", [])
        if len(codes) != 1:
            return self._refused("The identity provider refused the login")
        self._found.put((codes[0], ""))
        return 200, _DONE

    def _refused(self, why: str) -> tuple[int, str]:
        self._found.put((None, why))
        return 400, _NOT_DONE

    def _door(self) -> type[BaseHTTPRequestHandler]:
        arrivals = self

        class Door(BaseHTTPRequestHandler):
            timeout = 5.0

            def do_GET(self) -> None:
                status, text = arrivals.answer(self.headers.get("Host"), self.path)
                body = f"<!doctype html><title>dli</title><p>{text}</p>".encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Security-Policy", "default-src 'none'")
                self.send_header("Referrer-Policy", "no-referrer")
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: the line of a request holds the code."""

        return Door


def _failed(message: str) -> ServerError:
    return ServerError(message, code=ErrorCode.SERVER_AUTH_FAILED)
