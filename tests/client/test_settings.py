"""Settings from variables and flags."""

import pytest

from idleclaw_tui.errors import UsageError
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.settings import DEFAULT_SERVER, Settings, read_settings, router_url


def test_defaults_and_empty_variables() -> None:
    assert read_settings({}) == Settings(DEFAULT_SERVER, "http://localhost:11434")
    assert read_settings({"IDLECLAW_SERVER": " ", "OLLAMA_HOST": ""}) == Settings()


def test_flags_win_over_variables() -> None:
    environ = {"IDLECLAW_SERVER": "http://a:1/", "OLLAMA_HOST": "b:2"}
    assert read_settings(environ) == Settings("http://a:1", "b:2")
    assert read_settings(environ, server="https://c", ollama_host="d") == Settings("https://c", "d")


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://127.0.0.1:8000///", "http://127.0.0.1:8000"),
        ("https://example.org/idleclaw/", "https://example.org/idleclaw"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_router_urls(given: str, url: str) -> None:
    assert router_url(given) == url


@pytest.mark.parametrize(
    "given",
    [
        "",
        "example.org",
        "localhost:8000",
        "ftp://example.org",
        "file:///etc/passwd",
        "http://",
        "http://:8000",
        "http://user:secret@example.org",
        "http://example.org@evil.org",
        "http://example.org:99999",
        "http://example.org:x",
        "http://example.org:0",
        "http://example.org?x=1",
        "http://example.org/#",
        "http://exa mple.org",
        "http://example.org\n",
        "http://evil.org\\@example.org",
        "http://[::1",
        "http://" + "a" * 3000,
        "http://\x1b[8m",
    ],
)
def test_what_is_no_router_url_is_one_plain_line(given: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_settings({"IDLECLAW_SERVER": "http://fine"}, server=given)
    assert refused.value.exit_code is ExitCode.USAGE
    line = str(refused.value)
    assert line.startswith("--server ")
    assert line.isprintable()
    assert "secret" not in line


def test_the_error_names_the_variable() -> None:
    with pytest.raises(UsageError, match=r"^IDLECLAW_SERVER must begin with http"):
        read_settings({"IDLECLAW_SERVER": "example.org"})
