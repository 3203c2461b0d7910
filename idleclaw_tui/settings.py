"""What the person may set by environment variables and flags, read once at the edge."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from idleclaw_tui.errors import UsageError

DEFAULT_SERVER: Final = "https://api.idleclaw.com"
DEFAULT_OLLAMA_HOST: Final = "http://localhost:11434"

MAX_URL_CHARS: Final = 2048


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a run."""

    server: str = DEFAULT_SERVER
    """The router: an http or https URL without a slash at its end. Variable `IDLECLAW_SERVER`."""

    ollama_host: str = DEFAULT_OLLAMA_HOST
    """Where Ollama listens, in the form its own tools read. Variable `OLLAMA_HOST`."""


def read_settings(
    environ: Mapping[str, str], *, server: str | None = None, ollama_host: str | None = None
) -> Settings:
    """Return the settings; flags win over variables, empty variables count as unset.

    Raises `UsageError` where the router's address is none.
    """
    source = "--server" if server is not None else "IDLECLAW_SERVER"
    if server is None:
        server = environ.get("IDLECLAW_SERVER", "").strip() or DEFAULT_SERVER
    if ollama_host is None:
        ollama_host = environ.get("OLLAMA_HOST", "").strip() or DEFAULT_OLLAMA_HOST
    return Settings(server=router_url(server, source), ollama_host=ollama_host)


def router_url(text: str, source: str = "--server") -> str:
    """Return `text` as a router's base URL, without slashes at its end.

    Raises `UsageError`, which names `source`, for other schemes than http and https, a missing
    host, user names and passwords (they would show up on screens), queries, fragments, blanks and
    control characters, and more than 2,048 characters.
    """
    problem = _problem(text)
    if problem is not None:
        raise UsageError(
            f"{source} {problem}. Give the router's address like {DEFAULT_SERVER} "
            "or http://127.0.0.1:8000."
        )
    return text.rstrip("/")


def _problem(text: str) -> str | None:
    if not text.isprintable() or " " in text or len(text) > MAX_URL_CHARS:
        return "is not an address"
    try:
        parts = urlsplit(text)
        port_is_bad = parts.port == 0
    except ValueError:
        return "is not an address"
    if parts.scheme not in ("http", "https"):
        return "must begin with http:// or https://"
    if not parts.hostname or port_is_bad or "\\" in parts.netloc:
        return "names no host that could be reached"
    if "@" in parts.netloc:
        return "must not hold a user name or password"
    if parts.query or parts.fragment or "?" in text or "#" in text:
        return "must not hold a query or fragment"
    return None
