"""Stands between a client and an HTTP server and spoils answers as a test says."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

__all__ = ["Exchange", "FaultProxy", "running"]


@dataclass
class Exchange:
    """A request and the answer that its client is about to get."""

    method: str
    path: str
    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    is_cut: bool = False
    sent: dict[str, str] = field(default_factory=dict)
    """Headers of the request."""


Fault = Callable[[Exchange], None]


class FaultProxy:
    """Hands requests on; `before` may answer instead of the server, `after` may change answers.

    An exchange with a status after `before` never reaches the server; one that `is_cut` ends with
    half of its body.
    """

    def __init__(self, endpoint: str) -> None:
        self._address = urlsplit(endpoint).netloc
        self.before: Fault = lambda _: None
        self.after: Fault = lambda _: None
        self.seen: list[Exchange] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def exchange(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Exchange:
        done = Exchange(method, path, sent=headers)
        self.seen.append(done)
        self.before(done)
        if not done.status:
            connection = http.client.HTTPConnection(self._address, timeout=30)
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                done.status, done.body = answer.status, answer.read()
                done.headers = dict(answer.getheaders())
            finally:
                connection.close()
            self.after(done)
        return done

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                done = proxy.exchange(self.command, self.path, dict(self.headers), body)
                self.send_response(done.status)
                for name, value in done.headers.items():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                is_head = self.command == "HEAD"
                length = done.headers.get("Content-Length", "0") if is_head else len(done.body)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                if not is_head:
                    half = len(done.body) // 2 if done.is_cut else len(done.body)
                    self.wfile.write(done.body[:half])
                self.close_connection = self.close_connection or done.is_cut

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Requests are kept in `seen`."""

        return Handler


@contextmanager
def running(endpoint: str) -> Iterator[FaultProxy]:
    """A proxy for as long as the block lasts."""
    proxy = FaultProxy(endpoint)
    try:
        yield proxy
    finally:
        proxy.stop()
