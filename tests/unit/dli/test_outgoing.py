"""An address inside is for hosts that a setting names; what clouds keep there is for nobody."""

import json
import socket
import subprocess
import sys

import pytest

from dli.outgoing import Destinations, RefusedAddressError, proxies_in

NOBODYS = Destinations()
INSIDE = ["127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.1.1", "100.64.0.1", "::1", "fd12::1"]
NEVER = ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::"]
CREDENTIALS = ["100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"]
WRAPPED = ["::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::"]


def is_refused(destinations: Destinations, host: str, address: str) -> bool:
    try:
        destinations.check(host, address)
    except RefusedAddressError:
        return True
    return False


@pytest.mark.parametrize("address", [*INSIDE, *NEVER, *CREDENTIALS, *WRAPPED, "example.com", ""])
def test_f43_what_no_setting_names_is_refused(address: str) -> None:
    assert is_refused(NOBODYS, "hooks.example.com", address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_open(address: str) -> None:
    assert not is_refused(NOBODYS, "hooks.example.com", address)


@pytest.mark.parametrize("address", INSIDE)
def test_inside_is_open_for_a_host_that_a_setting_names(address: str) -> None:
    named = Destinations.named_in(["jsons://ana:pw@Hooks.intern.:8080/x?smtp=mail.intern"])
    assert not is_refused(named, "hooks.intern", address)
    assert not is_refused(named, "MAIL.intern.", address)
    assert is_refused(named, "x.hooks.intern", address)
    assert is_refused(named, "intern", address)


@pytest.mark.parametrize("address", [*NEVER, *CREDENTIALS, "::ffff:169.254.169.254"])
def test_a_name_opens_no_credentials_of_the_machine(address: str) -> None:
    assert is_refused(
        Destinations.named_in([f"http://{address}/", "http://meta/"]), "meta", address
    )
    assert is_refused(Destinations.named_in([f"http://[{address}]/"]), address, address)


def test_networks_open_what_lies_in_them() -> None:
    some = Destinations.named_in([], " 10.1.0.0/16, 169.254.169.254,node-7 , ::1")
    assert not is_refused(some, "any", "10.1.9.9")
    assert not is_refused(some, "any", "169.254.169.254")
    assert not is_refused(some, "any", "::1")
    assert not is_refused(some, "node-7", "127.0.0.1")
    assert is_refused(some, "any", "10.2.0.1")


@pytest.mark.parametrize("text", ["10.0.0.0/33", "2130706433", "1.2.3", "a b", "http://x", "1:2"])
def test_what_is_no_place_is_no_setting(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Destinations.named_in([], text)


def test_a_host_is_looked_up_for_a_library_that_connects_unseen() -> None:
    with pytest.raises(RefusedAddressError):
        NOBODYS.check_host("localhost", 80)
    Destinations.named_in(["http://localhost"]).check_host("localhost", 80)
    NOBODYS.check_host("no-such-host.invalid", 80)


def test_proxies_are_named_by_their_variables() -> None:
    env = {"HTTPS_PROXY": "http://proxy:1", "all_proxy": "socks5://other:2", "HOME": "/"}
    assert proxies_in(env) == ["http://proxy:1", "socks5://other:2"]


PROBE = """
import http.client, json, socket, sys, urllib.request
from dli.outgoing import Destinations, watch
port, named = int(sys.argv[1]), sys.argv[2:]
watch(lambda: Destinations.named_in(named))
def udp(to):
    with socket.socket(type=socket.SOCK_DGRAM) as line:
        line.sendto(b"", (to, 9))
def tcp(to):
    with socket.socket() as line:
        line.connect((to, port))
def web(to):
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://{to}:{port}/")
ways = {"udp": lambda: udp("127.0.0.1"), "unresolved": lambda: tcp("localhost")}
for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1"):
    ways[host] = lambda host=host: web(host)
seen = {}
for way, go in ways.items():
    try:
        go()
        seen[way] = "open"
    except Exception as error:
        seen[way] = "refused" if "not allowed" in str(error) else type(error).__name__
print(json.dumps(seen))
"""


@pytest.mark.parametrize(
    ("named", "is_open"),
    [([], set()), (["http://127.0.0.1"], {"127.0.0.1", "udp"}), (["localhost"], {"localhost"})],
)
def test_f43_the_address_is_looked_at_when_a_library_connects(
    named: list[str], is_open: set[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=32) as server:
        port = server.getsockname()[1]
        server.settimeout(60)
        probe = subprocess.Popen(
            [sys.executable, "-c", PROBE, str(port), *named],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in is_open - {"udp"}:
            line, _ = server.accept()
            line.sendall(b"HTTP/1.0 204 No Content\r\n\r\n")
            line.close()
        told, _ = probe.communicate(timeout=60)
    seen = json.loads(told)
    assert {way for way, state in seen.items() if state == "open"} == is_open
    assert {state for way, state in seen.items() if way not in is_open} == {"refused"}
