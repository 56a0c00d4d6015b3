"""Where a process may connect to: addresses inside are for hosts that its settings name.

A name can be made to lead anywhere, so not the name is looked at but the address that a connection
is opened to, at that moment, whatever library opens it.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["VARIABLE", "Destinations", "RefusedAddressError", "proxies_in", "watch"]

VARIABLE = "DLI_OUTGOING_ALLOWED"
"""Names the variable with further hosts, addresses and networks, with commas."""

_log = logging.getLogger(__name__)
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOSTS = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")
)
"""Where clouds hand out credentials of a machine, beside the link-local 169.254.169.254."""
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
_CONNECTING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


class RefusedAddressError(OSError):
    """The address is none that this process may connect to."""


@dataclass(frozen=True)
class Destinations:
    """Public addresses, those inside for `hosts`, and `networks` whatever lies there.

    Link-local addresses and those that clouds keep for credentials are in `networks` or refused.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[_Network, ...] = ()

    @classmethod
    def named_in(cls, settings: Iterable[str], allowed: str = "") -> Self:
        """The hosts whose names stand anywhere in these settings, and what is `allowed` besides.

        Raises:
            ValueError: a part of `allowed` is neither a name nor an address nor a network.
        """
        hosts = {name for text in settings for name in _names(text)}
        networks: list[_Network] = []
        for part in filter(None, (part.strip() for part in allowed.split(","))):
            try:
                networks.append(ipaddress.ip_network(part.strip("[]")))
            except ValueError:
                is_number = part.replace(".", "").isdigit()
                if is_number or _HOSTS.fullmatch(part) is None:
                    raise
                hosts.add(_plain(part))
        return cls(frozenset(hosts), tuple(networks))

    def check(self, host: str, address: str) -> None:
        """Refuse an `address` that was found for `host`.

        Raises:
            RefusedAddressError: it may not be connected to.
        """
        try:
            found = _unwrapped(ipaddress.ip_address(address))
        except ValueError:
            found = None  # a name that was never looked up
        if found is None or not self._is_open(_plain(host), found):
            _log.warning("outgoing.refused", extra={"host": host, "address": address})
            raise RefusedAddressError(f"Connections to this address of {host} are not allowed.")

    def _is_open(self, host: str, address: _Address) -> bool:
        if any(address in network for network in self.networks):
            return True
        if _is_never_meant(address):
            return False
        return host in self.hosts or address.is_global

    def check_host(self, host: str, port: int) -> None:
        """Look a host up for a library that opens connections unseen; one unknown may come yet.

        Raises:
            RefusedAddressError: one of its addresses may not be connected to.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            return
        for *_, address in found:
            self.check(host, str(address[0]))


def proxies_in(env: Mapping[str, str]) -> list[str]:
    """The variables that lead requests through a proxy."""
    wanted = ("http_proxy", "https_proxy", "all_proxy")
    return [value for name, value in env.items() if name.lower() in wanted]


def watch(allowed: Callable[[], Destinations]) -> None:
    """Let this process connect nowhere but to what is `allowed` then; nothing can undo it."""
    asked = threading.local()

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo":
            asked.host = _text(arguments[0])
        elif event in _CONNECTING:
            line, address = arguments
            if line.family in (socket.AF_INET, socket.AF_INET6) and address is not None:
                to = _text(address[0])
                allowed().check(getattr(asked, "host", to), to)

    sys.addaudithook(look)


def _names(text: str) -> set[str]:
    return {_plain(name) for name in _HOSTS.findall(unquote(text))}


def _plain(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _text(host: object) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)


def _unwrapped(address: _Address) -> _Address:
    """The address that a packet for this one ends at: IPv4 comes in several IPv6 wrappings."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def _is_never_meant(address: _Address) -> bool:
    return (
        address in _METADATA
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (address.is_reserved and address.version == 4)
    )
