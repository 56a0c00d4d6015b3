"""A real TCP server that answers, or misbehaves, as a test tells it to."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from dli.client.basecamp import BasecampClient
from dli.client.response import ServerConfig
from dli.client.transport import HttpTransport

DEADLINE_S = 20


@dataclass
class Received:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Action = Callable[[socket.socket], None]


@dataclass
class WireServer:
    """Does the next scripted action for each request; the last one stays in force."""

    listener: socket.socket
    actions: list[Action] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    connection_count: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def script(self, *actions: Action) -> None:
        self.actions[:] = actions

    def answers(
        self, body: object = None, status: int = 200, headers: dict[str, str] | None = None
    ) -> Action:
        """An HTTP answer; `body` is JSON unless it is bytes."""
        content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        sent = {"Content-Length": str(len(content)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        message = f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + content
        return lambda peer: peer.sendall(message)

    def problem(self, status: int, code: str, detail: str = "refused", **headers: str) -> Action:
        body = {"status": status, "code": code, "detail": detail, "request_id": "req-1"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.answers(body, status, {"Content-Type": "application/problem+json", **named})

    def drops(self, sent: bytes = b"") -> Action:
        """Ends the connection, after `sent`."""

        def drop(peer: socket.socket) -> None:
            peer.sendall(sent)
            peer.shutdown(socket.SHUT_RDWR)

        return drop

    def hangs(self) -> Action:
        return lambda _: (self.stopping.wait(DEADLINE_S), None)[1]

    def drips(self, sent: bytes) -> Action:
        """Sends a byte now and then, for ever."""

        def drip(peer: socket.socket) -> None:
            peer.sendall(sent)
            while not self.stopping.wait(0.02):
                peer.sendall(b"a")

        return drip

    def serve(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.connection_count += 1
            threading.Thread(target=self.talk, args=(peer,), daemon=True).start()

    def talk(self, peer: socket.socket) -> None:
        with peer, peer.makefile("rb") as reader:
            try:
                while (request := read_request(reader)) is not None:
                    self.received.append(request)
                    action = self.actions.pop(0) if len(self.actions) > 1 else self.actions[0]
                    action(peer)
            except OSError:
                return  # the client went away, or the action ended the connection


def read_request(reader: Any) -> Received | None:
    first = reader.readline().decode()
    if not first:
        return None
    method, target, _ = first.split(" ")
    headers = {}
    while (line := reader.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name] = value.strip()
    body = reader.read(int(headers.get("Content-Length", 0)))
    return Received(method, target, headers, body)


@pytest.fixture
def wire() -> Iterator[WireServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = WireServer(listener)
        server.script(server.answers({}))
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        yield server
        server.stopping.set()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


@dataclass
class Connected:
    """A client of the wire server; `waits` is what it would have slept between its tries."""

    client: BasecampClient
    waits: list[float]


@pytest.fixture
def connected(wire: WireServer) -> Iterator[Connected]:
    config = ServerConfig(url=wire.url, timeout=5, api_key="s3cret")
    waits: list[float] = []
    client = BasecampClient(config)
    client._transport = HttpTransport(config, sleep=waits.append, body_limit_bytes=10_000)
    with client:
        yield Connected(client, waits)


@pytest.fixture
def samples() -> BasecampClient:
    return BasecampClient(ServerConfig(url="http://unused"), mock_mode=True)
