"""Tokens are compared, guesses are counted."""

import pytest

from basecamp.auth import GuessLimit, TokenAuth
from basecamp.errors import RequestRefusedError, headers_of

RIGHT = {"authorization": "Bearer right-token"}
WRONG = {"x-api-key": "wrong-token"}


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def auth(seconds: Seconds) -> TokenAuth:
    return TokenAuth("right-token", GuessLimit(seconds))


def refusal(auth: TokenAuth, headers: dict[str, str], address: str = "a") -> RequestRefusedError:
    with pytest.raises(RequestRefusedError) as caught:
        auth.caller(headers, address)
    return caught.value


def test_the_right_token_names_its_caller(auth: TokenAuth) -> None:
    assert auth.caller(RIGHT, "a") == "local"


def test_guessing_is_limited_by_address_and_time(auth: TokenAuth, seconds: Seconds) -> None:
    assert {refusal(auth, WRONG).status for _ in range(10)} == {401}
    seconds.now = 15.0
    error = refusal(auth, WRONG)
    assert (error.status, error.code) == (429, "DLI-503")
    assert headers_of(error)["Retry-After"] == "45"
    assert refusal(auth, WRONG, "b").status == 401
    seconds.now = 60.0
    assert refusal(auth, WRONG).status == 401


def test_the_right_token_passes_a_limited_address(auth: TokenAuth) -> None:
    for _ in range(20):
        refusal(auth, WRONG)
    assert auth.caller(RIGHT, "a") == "local"


def test_a_missing_token_is_no_guess(auth: TokenAuth) -> None:
    assert {refusal(auth, {}).status for _ in range(20)} == {401}


def test_addresses_are_not_remembered_without_end(
    auth: TokenAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("basecamp.auth._ADDRESSES", 3)
    for address in "abcd":
        refusal(auth, WRONG, address)
    assert list(auth._guesses._failures) == ["b", "c", "d"]
