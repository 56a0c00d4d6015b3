"""Hundreds who dawdle, each in another way, and what others notice of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from campaign import Campaign
from crowd import Address, Ask, asked_steadily, percentile, served_by
from process import Server

pytestmark = pytest.mark.alone

LINGER_S = 30.0
PER_SECOND = 40
NORMAL_S = 12
PIECE_S = 0.5


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    project = tmp_path / "project"
    project.mkdir()
    (project / "dli.yaml").write_text("project: {name: slow}\n")
    started = Server(project)
    started.wait_until_ready()
    yield started
    started.process.kill()
    started.process.wait()


async def nothing(_: Address) -> AsyncIterator[bytes]:
    """Says nothing at all."""
    return
    yield b""


async def slow_head(address: Address) -> AsyncIterator[bytes]:
    yield f"GET /livez HTTP/1.1\r\nHost: 127.0.0.1:{address.port}\r\n".encode()
    while True:
        yield b"X-A: b\r\n"


async def slow_body(address: Address) -> AsyncIterator[bytes]:
    ask = Ask("POST", "/workflows/register", b"{" + b" " * 5_000)
    whole = ask.bytes_to(address)
    end = whole.index(b"\r\n\r\n") + 5
    yield whole[:end]
    while True:
        yield b" "


KINDS = (nothing, slow_head, slow_body)


async def dawdle(address: Address, number: int) -> float:
    """How long the server bears it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
    began_at = time.monotonic()
    closed = asyncio.create_task(reader.read())
    pieces = KINDS[number % len(KINDS)](address)
    with suppress(OSError):
        async for piece in pieces:
            writer.write(piece)
            await asyncio.wait([closed], timeout=PIECE_S)
            if closed.done():
                break
        async with asyncio.timeout(LINGER_S):
            await closed
    writer.close()
    return time.monotonic() - began_at


def test_t14_who_dawdles_is_closed_and_others_do_not_notice(
    campaign: Campaign, server: Server
) -> None:
    address, count = served_by(server), campaign.size(ci=400, long=2_000)

    async def crowd() -> list[float]:
        return await asyncio.gather(*(dawdle(address, number) for number in range(count)))

    asks = [Ask("GET", "/workflows?limit=20") for _ in range(PER_SECOND * NORMAL_S)]
    with ThreadPoolExecutor(1) as beside:
        borne = beside.submit(asyncio.run, crowd())
        told = asked_steadily(address, asks, PER_SECOND)
        times = borne.result()
    assert {one.status for one in told} == {200}
    campaign.count("slow clients", count)
    campaign.count("others", len(told))
    campaign.figure(
        "p99 of others", percentile([t.seconds * 1000 for t in told], 0.99), "ms", limit=500
    )
    campaign.figure("slowest to be closed", max(times), "s", limit=10)
