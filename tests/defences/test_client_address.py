"""Whose address counts, with proxies and without."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_server.client_address import MAX_HOPS, ClientAddresses, client_of, read_address

PROXIES = ClientAddresses(
    [ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
)


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        pytest.param("192.0.2.1", ["203.0.113.9"], "192.0.2.1", id="from anybody"),
        pytest.param("127.0.0.1", [], "127.0.0.1", id="no header"),
        pytest.param("127.0.0.1", ["203.0.113.9"], "203.0.113.9", id="one hop"),
        pytest.param(
            "127.0.0.1", ["1.1.1.1, 203.0.113.9"], "203.0.113.9", id="invented on the left"
        ),
        pytest.param("127.0.0.1", ["203.0.113.9, 10.0.0.7"], "203.0.113.9", id="two proxies"),
        pytest.param("127.0.0.1", ["1.1.1.1", "203.0.113.9"], "203.0.113.9", id="two headers"),
        pytest.param("127.0.0.1", ["203.0.113.9", "10.0.0.7"], "203.0.113.9", id="split headers"),
        pytest.param("127.0.0.1", ["10.0.0.1,10.0.0.2"], "10.0.0.1", id="proxies only"),
        pytest.param("127.0.0.1", ["203.0.113.9:4711"], "203.0.113.9", id="with a port"),
        pytest.param("127.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1", id="IPv6 with a port"),
        pytest.param("127.0.0.1", ["2001:db8::1"], "2001:db8::1", id="IPv6"),
        pytest.param("fd00::1", ["2001:db8::1"], "2001:db8::1", id="IPv6 proxy"),
        pytest.param("::ffff:127.0.0.1", ["203.0.113.9"], "203.0.113.9", id="mapped proxy"),
        pytest.param("127.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9", id="mapped hop"),
        pytest.param("127.0.0.1", ["unknown"], "127.0.0.1", id="garbage"),
        pytest.param("127.0.0.1", ["203.0.113.9, unknown"], "127.0.0.1", id="garbage at the right"),
        pytest.param("127.0.0.1", ["x, 203.0.113.9"], "203.0.113.9", id="garbage at the left"),
        pytest.param("127.0.0.1", ["203.0.113.9,"], "127.0.0.1", id="empty hop"),
        pytest.param("127.0.0.1", [""], "127.0.0.1", id="empty header"),
        pytest.param("127.0.0.1", ["9" * 8000], "127.0.0.1", id="long hop"),
        pytest.param("127.0.0.1", ["203.0.113.9, ٣.٣.٣.٣"], "127.0.0.1", id="other digits"),
        pytest.param(None, ["203.0.113.9"], "0.0.0.0", id="no peer"),
        pytest.param("", [], "0.0.0.0", id="a local socket"),
    ],
)
def test_the_right_most_hop_that_no_trusted_proxy_wrote(
    peer: str | None, forwarded: list[str], found: str
) -> None:
    """A15: what is left of an untrusted hop is that hop's invention."""
    assert PROXIES.address(peer, forwarded) == ip_address(found)


def test_forty_hops_end_at_the_thirty_second() -> None:
    """A15: a chain of proxies has an end, even where all of them are trusted."""
    hops = ", ".join(f"10.0.0.{number}" for number in range(40))
    assert PROXIES.address("127.0.0.1", [hops]) == ip_address(f"10.0.0.{40 - MAX_HOPS}")
    spread = [f"10.0.0.{number}" for number in range(40)]
    assert PROXIES.address("127.0.0.1", spread) == ip_address(f"10.0.0.{40 - MAX_HOPS}")


@given(st.lists(st.text(), max_size=50))
def test_nobody_is_believed_without_being_configured(forwarded: list[str]) -> None:
    """A15: by default the header does not exist."""
    assert ClientAddresses().address("127.0.0.1", forwarded) == ip_address("127.0.0.1")


@given(st.lists(st.text(alphabet="0123456789abcdef.:,[]% x", max_size=60), max_size=5))
def test_no_header_is_an_exception(forwarded: list[str]) -> None:
    """A15: garbage is an address of a proxy's, never an error."""
    PROXIES.address("127.0.0.1", forwarded)


@given(st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 64) - 1))
def test_a_household_has_one_key(first: int, second: int) -> None:
    """A16: all 2^64 addresses of a network count as one."""
    prefix = int(IPv6Address("2001:db8:1:2::"))
    keys = {client_of(IPv6Address(prefix | host)).key for host in (first, second)}
    assert keys == {"2001:db8:1:2::/64"}
    assert client_of(IPv6Address("2001:db8:1:3::1")).key not in keys


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_the_ipv4_address(address: IPv4Address) -> None:
    """A16: one machine has one key, whichever way it came."""
    mapped = read_address(f"::ffff:{address}")
    assert mapped is not None
    assert client_of(mapped) == client_of(address)
    assert client_of(mapped).key == str(address)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("203.0.113.9", "203.0.x.x"),
        ("2001:db8:1:2::5", "2001:0db8:x:x:x:x:x:x"),
        ("::1", "0000:0000:x:x:x:x:x:x"),
    ],
)
def test_addresses_are_masked_for_both_families(address: str, shown: str) -> None:
    assert client_of(ip_address(address)).masked == shown


@pytest.mark.parametrize("text", ["fe80::1%eth0", "[fe80::1%eth0]:80", " fe80::1 "])
def test_zones_ports_and_blanks_do_not_matter(text: str) -> None:
    assert read_address(text) == IPv6Address("fe80::1")
