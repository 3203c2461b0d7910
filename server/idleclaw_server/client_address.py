"""Whose request it is: the peer's address or, behind a trusted proxy, the one the proxy names."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from itertools import islice
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_HOPS: Final = 32
_MAX_HOP_CHARS: Final = 64
_UNKNOWN: Final = IPv4Address(0)
_V4_SHOWN: Final = 2
_V6_SHOWN: Final = 2


@dataclass(frozen=True, slots=True)
class Client:
    """A consumer's or a node's machine, as far as the router remembers it.

    `key` is what limits count by: an IPv4 address, or the /64 an IPv6 address is in, because one
    household has all of it. `masked` may be shown: half of an IPv4 address, a /32 of an IPv6 one.
    """

    key: str
    masked: str


def client_of(address: Address) -> Client:
    """Return the client at an address."""
    if isinstance(address, IPv4Address):
        shown = str(address).split(".")[:_V4_SHOWN]
        return Client(str(address), ".".join([*shown, "x", "x"]))
    prefix = IPv6Address(int(address) >> 64 << 64)
    groups = address.exploded.split(":")[:_V6_SHOWN]
    return Client(f"{prefix}/64", ":".join([*groups, "x", "x", "x", "x", "x", "x"]))


UNKNOWN_CLIENT: Final = client_of(_UNKNOWN)
"""Who comes over something that has no address."""


def read_address(text: str) -> Address | None:
    """Return the address in `text`, without port, brackets and zone; None where there is none.

    IPv4-mapped IPv6 addresses (::ffff:192.0.2.1, RFC 4291 section 2.5.5.2) are IPv4.
    """
    text = text.strip()
    if len(text) > _MAX_HOP_CHARS:
        return None
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


class ClientAddresses:
    """Reads X-Forwarded-For, but only as far as each hop was written by a trusted proxy."""

    def __init__(self, trusted: Collection[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    def is_trusted(self, address: Address) -> bool:
        """Whether what this address says of others is believed."""
        return any(address in network for network in self._trusted)

    def address(self, peer: str | None, forwarded: Iterable[str]) -> Address:
        """Return the right-most address that is no trusted proxy's.

        `peer` is the socket's address, `forwarded` the values of all X-Forwarded-For headers in
        their order. Where a hop is no address, or there are more than 32, the last trusted one
        before it counts: the client then shares the limits of its proxy and gains nothing.
        """
        found = (read_address(peer) if peer else None) or _UNKNOWN
        if not self._trusted or not self.is_trusted(found):
            return found
        for hop in islice(_hops_from_the_right(forwarded), MAX_HOPS):
            address = read_address(hop)
            if address is None:
                return found
            found = address
            if not self.is_trusted(address):
                return found
        return found


def _hops_from_the_right(values: Iterable[str]) -> Iterable[str]:
    for value in reversed(list(values)):
        while value:
            value, _, hop = value.rpartition(",")
            yield hop
