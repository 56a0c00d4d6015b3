"""Many clients at once: each keeps one connection and waits for the answer before it asks again."""

import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from process import Server

__all__ = [
    "Address",
    "Ask",
    "Told",
    "asked_by",
    "asked_steadily",
    "percentile",
    "served_by",
    "spec",
]

PATIENCE_S = 120.0


@dataclass(frozen=True)
class Address:
    """Where a server listens and the token that it takes."""

    port: int
    token: str


@dataclass(frozen=True)
class Ask:
    """A request; with a `key` a repetition of it is the same request."""

    method: str
    path: str
    body: bytes = b""
    key: str | None = None

    def bytes_to(self, address: Address) -> bytes:
        lines = [
            f"{self.method} /api/v1{self.path} HTTP/1.1",
            f"Host: 127.0.0.1:{address.port}",
            f"Authorization: Bearer {address.token}",
            f"Content-Length: {len(self.body)}",
        ]
        if self.body:
            lines.append("Content-Type: application/json")
        if self.key is not None:
            lines.append(f"Idempotency-Key: {self.key}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True)
class Told:
    """An answer and how long it took; status 0 is a connection that broke."""

    status: int
    seconds: float
    headers: dict[str, str]
    body: bytes

    @property
    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def is_put_off(self) -> bool:
        """Whether it says to come again, and when."""
        return self.status in (429, 503) and self.headers.get("retry-after", "").isdigit()


def served_by(server: Server) -> Address:
    """The address of a server of the tests."""
    return Address(server.port, (server.state / "token").read_text().strip())


def asked_by(clients: Sequence[tuple[Address, Iterable[Ask]]]) -> list[list[Told]]:
    """What each client was told, in its order. All connect first, then all begin at once.

    Who is told to come again does so, after the time that it was told.
    """
    return asyncio.run(_all(clients))


async def _all(clients: Sequence[tuple[Address, Iterable[Ask]]]) -> list[list[Told]]:
    begin = asyncio.Barrier(len(clients))
    return await asyncio.gather(*(_client(address, asks, begin) for address, asks in clients))


async def _client(address: Address, asks: Iterable[Ask], begin: asyncio.Barrier) -> list[Told]:
    reader, writer = await _connection(address)
    await begin.wait()
    told: list[Told] = []
    try:
        for ask in asks:
            while True:
                if writer.is_closing() or reader.at_eof():
                    writer.close()
                    reader, writer = await _connection(address)
                told.append(await _exchange(reader, writer, ask.bytes_to(address)))
                if not told[-1].is_put_off:
                    break
                await asyncio.sleep(int(told[-1].headers["retry-after"]))
    finally:
        writer.close()
    return told


async def _connection(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.wait_for(asyncio.open_connection("127.0.0.1", address.port), PATIENCE_S)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> Told:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE_S):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            pairs = (line.split(": ", 1) for line in lines if line)
            headers = {name.lower(): value for name, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
    except (OSError, EOFError, TimeoutError) as exc:
        writer.close()
        return Told(0, time.perf_counter() - started, {}, repr(exc).encode())
    if headers.get("connection") == "close":
        writer.close()
    return Told(int(first.split()[1]), time.perf_counter() - started, headers, body)


def spec(name: str, cron: str | None = None) -> dict[str, Any]:
    """A dataset whose runs take no time; with a `cron` it is scheduled."""
    content: dict[str, Any] = {
        "name": name,
        "owner": "ana@example.com",
        "team": "reliability",
        "execution": {"dialect": "duckdb"},
        "query_statement": "SELECT 1",
    }
    return content if cron is None else {**content, "schedule": {"cron": cron, "timezone": "UTC"}}


def percentile(values: Iterable[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def asked_steadily(address: Address, asks: Iterable[Ask], per_second: float) -> list[Told]:
    """What was told to those who come at this rate, each on the first connection that is free."""
    return asyncio.run(_steadily(address, asks, per_second))


async def _steadily(address: Address, asks: Iterable[Ask], per_second: float) -> list[Told]:
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def one(ask: Ask) -> Told:
        reader, writer = free.pop() if free else await _connection(address)
        if writer.is_closing() or reader.at_eof():
            writer.close()
            reader, writer = await _connection(address)
        told = await _exchange(reader, writer, ask.bytes_to(address))
        free.append((reader, writer))
        return told

    clock = asyncio.get_running_loop()
    begun_at = clock.time()
    under_way: list[asyncio.Task[Told]] = []
    for number, ask in enumerate(asks):
        await asyncio.sleep(begun_at + number / per_second - clock.time())
        under_way.append(asyncio.create_task(one(ask)))
    told = await asyncio.gather(*under_way)
    for _, writer in free:
        writer.close()
    return told
