"""Bodies are read with limits in size and time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from basecamp.errors import RequestRefusedError
from basecamp.routes import body


class Sent:
    """A request whose body comes in these pieces; `None` is a sender that falls silent."""

    def __init__(self, *pieces: bytes | None, **headers: str) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.taken = 0
        self._pieces = pieces

    async def stream(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if piece is None:
                await asyncio.Event().wait()
                return
            self.taken += len(piece)
            yield piece


def read(sent: Any, limit_bytes: int = 10) -> bytes:
    return asyncio.run(body.read_body(sent, limit_bytes))


def refusal(sent: Any, limit_bytes: int = 10) -> RequestRefusedError:
    with pytest.raises(RequestRefusedError) as caught:
        read(sent, limit_bytes)
    return caught.value


def test_a_body_up_to_the_limit_is_read() -> None:
    assert read(Sent(b"12345", b"67890", b"")) == b"1234567890"
    assert read(Sent()) == b""


def test_a_larger_one_is_refused_by_its_announcement_or_on_the_way() -> None:
    assert refusal(Sent(b"x", content_length="11")).status == 413
    assert refusal(Sent(b"123456", b"78901", content_length="2")).status == 413


def test_no_more_than_a_bounded_rest_is_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "_DISCARDED_BYTES", 100)
    sent = Sent(*[b"x" * 20] * 1000)
    refusal(sent)
    assert sent.taken == 140


def test_a_sender_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "_READ_SECONDS", 0.01)
    monkeypatch.setattr(body, "_DISCARDING_SECONDS", 0.01)
    assert refusal(Sent(b"{", None)).status == 408
    assert refusal(Sent(None, content_length="11")).status == 413


def test_a_request_without_body_takes_none() -> None:
    assert read(Sent(b""), 0) == b""
    assert refusal(Sent(b"x"), 0).status == 400


def test_ordinary_json_is_decoded() -> None:
    text = '{"a": [1, -2.5, true, null, "é😀\\n"], "b": {"c": 9223372036854775807}}'
    assert body.decode(text.encode()) == {
        "a": [1, -2.5, True, None, "é😀\n"],
        "b": {"c": 2**63 - 1},
    }
