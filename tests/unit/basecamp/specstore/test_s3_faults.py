"""A bucket that stumbles is asked again; what it tells by halves changes nothing."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import fault_proxy
from basecamp.specstore.base import FileKey
from basecamp.specstore.s3 import S3SpecStore
from bucket_server import BucketServer
from dli.exceptions import ServerError
from fault_proxy import Exchange, FaultProxy

SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>later</Message></Error>"


@pytest.fixture
def proxy(s3_server: BucketServer) -> Iterator[FaultProxy]:
    with fault_proxy.running(s3_server.endpoint) as running:
        yield running


@pytest.fixture
def store(s3_url: str, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> S3SpecStore:
    """A store with one spec of each source, behind the proxy."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
    opened = S3SpecStore(s3_url)
    opened.switch_code(opened.stage_code({"a.one": content("a.one")}))
    opened.put_manual("m.one", content("m.one"))
    proxy.seen.clear()
    return opened


def content(name: str) -> dict[str, Any]:
    return {"name": name, "owner": "ana", "team": "t"}


def is_list(exchange: Exchange) -> bool:
    return exchange.method == "GET" and "list-type=2" in exchange.path


def is_pointer_write(exchange: Exchange) -> bool:
    return exchange.method == "PUT" and exchange.path.endswith("/code.json")


@pytest.mark.parametrize("status", [500, 503])
def test_a_stumble_is_asked_again(store: S3SpecStore, proxy: FaultProxy, status: int) -> None:
    def stumble(exchange: Exchange) -> None:
        if len(proxy.seen) in (1, 2, 4):
            exchange.status, exchange.body = status, SLOW_DOWN

    proxy.before = stumble
    assert {key.name for key in store.scan()} == {"a.one", "m.one"}
    assert len(proxy.seen) > 4


def test_f15_an_outage_is_asked_again_at_most_five_times(
    store: S3SpecStore, proxy: FaultProxy
) -> None:
    def fail(exchange: Exchange) -> None:
        exchange.status, exchange.body = 503, SLOW_DOWN

    proxy.before = fail
    with pytest.raises(ServerError) as raised:
        store.scan()
    assert raised.value.details["retry_after"]
    assert 2 <= len(proxy.seen) <= 6


def test_a_list_that_is_forbidden_is_no_empty_list(store: S3SpecStore, proxy: FaultProxy) -> None:
    def forbid(exchange: Exchange) -> None:
        if is_list(exchange):
            exchange.status = 403
            exchange.body = b"<Error><Code>AccessDenied</Code></Error>"

    proxy.before = forbid
    with pytest.raises(ServerError):
        store.scan()
    assert len([exchange for exchange in proxy.seen if is_list(exchange)]) == 1


def test_a_list_that_is_cut_off_is_no_shorter_list(store: S3SpecStore, proxy: FaultProxy) -> None:
    def cut(exchange: Exchange) -> None:
        exchange.is_cut = is_list(exchange)

    proxy.after = cut
    with pytest.raises(ServerError):
        store.scan()


def test_a_page_that_comes_twice_is_no_list(store: S3SpecStore, proxy: FaultProxy) -> None:
    first: list[Exchange] = []

    def announce_more(exchange: Exchange) -> None:
        if is_list(exchange) and not first:
            first.append(replace(exchange))
            exchange.body = exchange.body.replace(
                b"<IsTruncated>false</IsTruncated>",
                b"<IsTruncated>true</IsTruncated>"
                b"<NextContinuationToken>again</NextContinuationToken>",
            )

    def repeat(exchange: Exchange) -> None:
        if "continuation-token=again" in exchange.path:
            exchange.status, exchange.body = first[0].status, first[0].body

    proxy.before, proxy.after = repeat, announce_more
    with pytest.raises(ServerError) as raised:
        store.scan()
    assert "repeats itself" in str(raised.value.__cause__)


def test_a_publication_whose_answer_was_lost_is_in_force_once(
    store: S3SpecStore, proxy: FaultProxy
) -> None:
    staged = store.stage_code({"a.two": content("a.two")})

    def lose(exchange: Exchange) -> None:
        if is_pointer_write(exchange) and exchange.status == 200:
            exchange.status, exchange.body = 503, SLOW_DOWN

    proxy.after = lose
    store.switch_code(staged)
    proxy.after = lambda _: None
    assert {key.name for key in store.scan() if key.source_type == "code"} == {"a.two"}


def test_a_publication_that_fails_half_way_leaves_the_last_good_set(
    store: S3SpecStore, proxy: FaultProxy
) -> None:
    def fail(exchange: Exchange) -> None:
        if exchange.method == "PUT" and "/versions/" in exchange.path:
            exchange.status, exchange.body = 403, b"<Error><Code>AccessDenied</Code></Error>"

    proxy.before = fail
    with pytest.raises(ServerError):
        store.stage_code({"a.two": content("a.two")})
    proxy.before = lambda _: None
    assert FileKey("code", "a.one") in store.scan()
    assert FileKey("code", "a.two") not in store.scan()


def test_a_spec_that_is_cut_off_is_not_taken_for_whole(
    store: S3SpecStore, proxy: FaultProxy
) -> None:
    def cut(exchange: Exchange) -> None:
        exchange.is_cut = exchange.method == "GET" and "/objects/" in exchange.path

    proxy.after = cut
    with pytest.raises(OSError, match="bucket"):
        store.read(FileKey("code", "a.one"))
