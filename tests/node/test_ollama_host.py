"""OLLAMA_HOST means for us what it means for Ollama's own tools."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.errors import UsageError
from idleclaw_tui.ollama.host import OllamaAddress, is_loopback, parse_ollama_host


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("localhost", "http://localhost:11434"),
        ("1.2.3.4", "http://1.2.3.4:11434"),
        (":56789", "http://127.0.0.1:56789"),
        ("1.2.3.4:56789", "http://1.2.3.4:56789"),
        ("http://1.2.3.4", "http://1.2.3.4:80"),
        ("https://1.2.3.4", "https://1.2.3.4:443"),
        ("https://1.2.3.4:56789", "https://1.2.3.4:56789"),
        ("example.com", "http://example.com:11434"),
        ("example.com:56789", "http://example.com:56789"),
        ("http://example.com", "http://example.com:80"),
        ("https://example.com", "https://example.com:443"),
        ("example.com/", "http://example.com:11434"),
        ("example.com:56789/", "http://example.com:56789"),
        ("example.com/path", "http://example.com:11434/path"),
        ("https://example.com:56789/a/b/", "https://example.com:56789/a/b"),
        ("::1", "http://[::1]:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1", "http://[::1]:11434"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("http://[::1]", "http://[::1]:80"),
        ("[0001:002:003:0004::1]:56789/path", "http://[1:2:3:4::1]:56789/path"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("http://0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://[::1]:8080"),
        ("::", "http://[::1]:11434"),
        (" 'localhost:8080' ", "http://localhost:8080"),
        ("ollama.com", "https://ollama.com:443"),
        ("my_box-1.lan.:1234", "http://my_box-1.lan.:1234"),
    ],
)
def test_an_address_is_read_as_ollama_reads_it(text: str, url: str) -> None:
    address = parse_ollama_host(text)
    assert (address.url, address.warning) == (url, None)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("localhost:notaport", "http://localhost:11434"),
        ("localhost:", "http://localhost:11434"),
        ("localhost:66000", "http://localhost:11434"),
        ("localhost:-1", "http://localhost:11434"),
        ("localhost:0", "http://localhost:11434"),
        ("http://localhost:x", "http://localhost:80"),
        ("https://localhost:x", "https://localhost:443"),
        ("[::1]:x", "http://[::1]:11434"),
    ],
)
def test_a_port_that_is_none_is_replaced_with_a_warning(text: str, url: str) -> None:
    address = parse_ollama_host(text)
    assert address.url == url
    assert address.warning is not None
    assert url.rpartition(":")[2] in address.warning


@pytest.mark.parametrize(
    "text",
    [
        "ftp://localhost",
        "unix:///run/ollama.sock",
        "://localhost",
        "user:secret@localhost",
        "local host",
        "localhost/\x1b[2J",
        "localhost?x=1",
        "localhost#x",
        "localhost:" + "9" * 5000,
        "::1]",
        "[nonsense]:80",
        "[::1]80",
        "999.1.1.1",
        "a..b",
        "fe80::1%eth0",
        "x" * 3000,
    ],
)
def test_what_no_host_could_be_is_refused_in_words(text: str) -> None:
    with pytest.raises(UsageError, match=r"OLLAMA_HOST .*localhost:11434"):
        parse_ollama_host(text)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.5", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_loopback_is_told_from_other_machines(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_an_address_knows_whether_it_is_this_machine() -> None:
    assert parse_ollama_host("0.0.0.0").is_loopback
    assert not OllamaAddress("http://10.0.0.1:11434", "10.0.0.1").is_loopback


HOSTS = st.one_of(
    st.text(),
    st.from_regex(r"(https?://)?[a-z0-9.\[\]:-]{0,20}(:[0-9a-z-]{0,6})?(/[a-z/]{0,5})?"),
    st.ip_addresses().map(str),
)


@given(HOSTS)
def test_any_text_gives_a_url_or_words(text: str) -> None:
    try:
        address = parse_ollama_host(text)
    except UsageError:
        return
    assert address.url.startswith(("http://", "https://"))
    assert not address.url.endswith("/")
    assert parse_ollama_host(address.url) == OllamaAddress(address.url, address.host)


@given(st.ip_addresses(), st.integers(min_value=1, max_value=65535))
def test_every_address_and_port_keeps_both(address: object, port: int) -> None:
    host = f"[{address}]" if ":" in str(address) else str(address)
    url = httpx.URL(parse_ollama_host(f"{host}:{port}").url)
    assert (url.port or 80) == port
