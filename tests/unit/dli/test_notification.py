"""Where messages go is said by variables; a channel stays within its address."""

import pytest

from dli.notification import Message, address, deliver, settings_in, unreachable
from inbox import opened_inbox

pytestmark = pytest.mark.filterwarnings(
    "ignore:'imghdr' is deprecated:DeprecationWarning"  # a plugin of Apprise, on import
)

MESSAGE = Message("Title", "Body")


def target(kind: str, channel: str = "x") -> dict[str, str]:
    return {"type": kind, "channel": channel}


def test_f43_a_channel_cannot_lead_a_message_elsewhere() -> None:
    env = {"DLI_NOTIFY_HOOK": "jsons://example.com/{channel}?method=post"}
    assert address(target("hook", "a@b?c=d&e/../f"), env) == (
        "jsons://example.com/a%40b%3Fc%3Dd%26e%2F..%2Ff?method=post"
    )
    assert address(target("ho-ok"), env) is None
    assert address(target("hook\n"), env) is None


def test_only_variables_of_notifications_are_taken_over() -> None:
    env = {"DLI_NOTIFY_PAGER": "json://x", "DLI_API_TOKEN": "secret", "HOME": "/"}
    assert settings_in(env) == {"DLI_NOTIFY_PAGER": "json://x"}


def test_variables_that_are_missing_are_named_once() -> None:
    wanted = [target("pager"), target("hook"), target("hook", "y")]
    assert unreachable(wanted, {"DLI_NOTIFY_PAGER": "json://x"}) == ["DLI_NOTIFY_HOOK"]


def test_a_message_is_sent_to_its_channel() -> None:
    with opened_inbox() as inbox:
        env = {"DLI_NOTIFY_PAGER": f"{inbox.url}/to/{{channel}}"}
        assert deliver(target("pager", "night"), MESSAGE, env) is None
        ((path, body),) = inbox.messages
    assert (path, body["title"], body["message"]) == ("/to/night", "Title", "Body")
    assert body["type"] == "info"


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({}, "DLI_NOTIFY_PAGER is not set here"),
        ({"DLI_NOTIFY_PAGER": "pigeon://x"}, "Apprise does not know this kind of address"),
    ],
)
def test_a_message_that_cannot_be_sent_says_why(env: dict[str, str], why: str) -> None:
    assert deliver(target("pager"), MESSAGE, env) == why


def test_a_message_that_is_refused_says_so() -> None:
    with opened_inbox() as inbox:
        inbox.status = 500
        env = {"DLI_NOTIFY_PAGER": inbox.url}
        assert deliver(target("pager"), MESSAGE, env) == "the message was not taken"
