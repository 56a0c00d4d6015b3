"""Tokens are taken from a request, guesses are counted."""

import pytest

from basecamp.auth import GuessLimit, given_token
from basecamp.errors import RequestRefusedError, headers_of


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def guesses(seconds: Seconds) -> GuessLimit:
    return GuessLimit(seconds)


def guess(guesses: GuessLimit, address: str = "a") -> None:
    guesses.check(address)
    guesses.count(address)


def test_guessing_is_limited_by_address_and_time(guesses: GuessLimit, seconds: Seconds) -> None:
    for _ in range(10):
        guess(guesses)
    seconds.now = 15.0
    with pytest.raises(RequestRefusedError) as caught:
        guess(guesses)
    assert (caught.value.status, caught.value.code) == (429, "DLI-503")
    assert headers_of(caught.value)["Retry-After"] == "45"
    guess(guesses, "b")
    seconds.now = 60.0
    guess(guesses)


def test_addresses_are_not_remembered_without_end(
    guesses: GuessLimit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("basecamp.auth._ADDRESSES", 3)
    for address in "abcd":
        guess(guesses, address)
    assert list(guesses._failures) == ["b", "c", "d"]


def test_a_token_comes_as_key_or_as_bearer() -> None:
    assert given_token({"authorization": "bearer abc"}) == "abc"
    assert given_token({"x-api-key": "key", "authorization": "Bearer abc"}) == "key"


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic YTpi"}])
def test_without_a_token_nobody_is_known(headers: dict[str, str]) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        given_token(headers)
    assert (caught.value.status, caught.value.code) == (401, "DLI-502")
