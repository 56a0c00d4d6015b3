"""Where messages go is said by variables; a channel stays within its address."""

import socket

import pytest

from dli.courier import Courier, _harmless
from dli.notification import Message, address, deliver, end_of_run, settings_in, unreachable
from dli.outgoing import VARIABLE
from inbox import opened_inbox

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


def test_f43_a_channel_names_no_host_inside() -> None:
    with opened_inbox() as inbox:
        env = {"DLI_NOTIFY_PAGER": f"json://{{channel}}:{inbox.server_port}/x"}
        assert deliver(target("pager", "127.0.0.1"), MESSAGE, env) == "the message was not taken"
        assert inbox.messages == []
        env["DLI_OUTGOING_ALLOWED"] = "127.0.0.0/8"
        assert deliver(target("pager", "127.0.0.1"), MESSAGE, env) is None
        assert len(inbox.messages) == 1


def test_f43_a_receiver_sends_nobody_elsewhere() -> None:
    with opened_inbox() as inbox:
        inbox.status, inbox.location = 307, "/elsewhere"
        env = {"DLI_NOTIFY_PAGER": f"{inbox.url}/here"}
        assert deliver(target("pager"), MESSAGE, env) == "the message was not taken"
        assert [path for path, _ in inbox.messages] == ["/here"]


def test_f49_programs_are_told_the_id_of_a_message() -> None:
    with opened_inbox() as inbox:
        env = {"DLI_NOTIFY_PAGER": f"{inbox.url}/{{channel}}?method=post"}
        told = end_of_run("a.b", "r-1", is_good=True)
        with Courier(env) as courier:
            for message in (told, told, MESSAGE):
                assert deliver(target("pager"), message, env, courier) is None
        ids = [body.get("event_id") for _, body in inbox.messages]
    assert ids == ["r-1-success", "r-1-success", None]


def test_a_receiver_that_keeps_the_courier_waiting_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"json://127.0.0.1:{silent.getsockname()[1]}?rto=60"
        parcel = {"template": url, "url": url, "title": "t", "body": "b", "kind": "info"}
        with Courier({}, timeout_s=1) as courier:
            for _ in range(2):
                assert courier.carry(parcel) == "the receiver kept us waiting, or sent too much"


def test_the_courier_knows_no_secrets_of_others() -> None:
    env = {"DLI_API_TOKEN": "x", "AWS_SECRET_ACCESS_KEY": "x", "PATH": "/bin", VARIABLE: "10.0.0.1"}
    assert _harmless(env) == {"PATH": "/bin", VARIABLE: "10.0.0.1"}


def test_a_message_that_is_refused_says_so() -> None:
    with opened_inbox() as inbox:
        inbox.status = 500
        env = {"DLI_NOTIFY_PAGER": inbox.url}
        assert deliver(target("pager"), MESSAGE, env) == "the message was not taken"
