"""A place that takes notifications as JSON over HTTP and keeps them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

__all__ = ["Inbox", "opened_inbox"]


class Inbox(HTTPServer):
    """`messages` are pairs of path and body; senders get `status` and are sent to `location`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        self.location = ""

    @property
    def url(self) -> str:
        """As Apprise writes it."""
        return f"json://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    server: Inbox

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Requests are not worth a line."""


@contextmanager
def opened_inbox() -> Iterator[Inbox]:
    with Inbox() as inbox:
        thread = Thread(target=inbox.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield inbox
        finally:
            inbox.shutdown()
            thread.join()
