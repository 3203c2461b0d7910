"""Reading OLLAMA_HOST by Ollama's own rules.

Source: Ollama's envconfig/config.go, `Host` and `ConnectableHost`.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from idleclaw_tui.errors import LOOPBACK_HOSTS, UsageError

DEFAULT_PORT: Final = 11434
MAX_HOST_CHARS: Final = 2048

_SCHEME_PORTS: Final = {"http": 80, "https": 443}
_URL_TEXT: Final = re.compile(r"[A-Za-z0-9._~:/\[\]@!$&'()*+,;=%-]*")
_HOST_NAME: Final = re.compile(r"(?![0-9.]+$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|")


@dataclass(frozen=True, slots=True)
class OllamaAddress:
    """Where Ollama listens.

    `url` is a base URL with an explicit port and without a slash at its end; `host` its host
    without brackets; `warning` a sentence where a part of the text had to be replaced.
    """

    url: str
    host: str
    warning: str | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether the address is on this machine."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether `host` (a name, or an address without brackets) is this machine's loopback."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() in LOOPBACK_HOSTS


def parse_ollama_host(text: str) -> OllamaAddress:
    """Return the address that Ollama's own tools would dial for OLLAMA_HOST=`text`.

    Without a scheme the port is 11434, with one it is the scheme's. A port that is none is
    replaced by the default, with a warning. Addresses a server listens on (0.0.0.0, ::) become the
    loopback of their family. Empty text, like an empty host, means 127.0.0.1.

    Raises `UsageError` for other schemes than http and https, and where the host could not be one.
    """
    text = text.strip().strip("\"'")
    scheme, separator, rest = text.partition("://")
    default_port = _SCHEME_PORTS.get(scheme, DEFAULT_PORT)
    if not separator:
        scheme, rest, default_port = "http", text, DEFAULT_PORT
        if text == "ollama.com":
            scheme, default_port = "https", 443
    authority, _, path = rest.partition("/")
    _check(text, scheme, authority)
    host, port_text = _split_port(authority)
    host = _connectable(host)
    port = _port(port_text)
    warning = None
    if port is None:
        port = default_port
        if port_text is not None:
            warning = f"OLLAMA_HOST has no valid port; {default_port} is used."
    bracketed = f"[{host}]" if ":" in host else host
    path = path.strip("/")
    url = f"{scheme}://{bracketed}:{port}" + (f"/{path}" if path else "")
    return OllamaAddress(url, host, warning)


def _check(text: str, scheme: str, authority: str) -> None:
    problem = None
    if scheme not in _SCHEME_PORTS:
        problem = "must begin with http:// or https://"
    elif len(text) > MAX_HOST_CHARS or _URL_TEXT.fullmatch(text) is None:
        problem = "is not an address"
    elif "@" in authority:
        problem = "must not hold a user name or password"
    elif not _names_a_host(authority):
        problem = "names no host that could be reached"
    if problem is not None:
        raise UsageError(f"OLLAMA_HOST {problem}. Give an address like http://localhost:11434.")


def _names_a_host(authority: str) -> bool:
    if authority.startswith("["):
        inside, _, after = authority[1:].partition("]")
        return _address(inside) is not None and (not after or after.startswith(":"))
    host, _ = _split_port(authority)
    return _address(host) is not None or _HOST_NAME.fullmatch(host) is not None


def _split_port(authority: str) -> tuple[str, str | None]:
    """Return host and port as Go's net.SplitHostPort does, the port None where there is none."""
    if authority.startswith("["):
        inside, _, after = authority[1:].partition("]")
        return inside, after[1:] if after else None
    host, colon, port = authority.rpartition(":")
    if not colon or ":" in host:
        return authority, None
    return host, port


def _port(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 5:
        return None
    port = int(text)
    return port if 0 < port <= 65535 else None


def _connectable(host: str) -> str:
    address = _address(host)
    if address is None:
        return host or "127.0.0.1"
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "::1"
    return str(address)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return `host` as an address without a zone, which a URL could not name."""
    try:
        return None if "%" in host else ipaddress.ip_address(host)
    except ValueError:
        return None
