"""Settings: one list of them, in the code, the help and the README."""

import re
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from idleclaw_server.cli import main, shown_default
from idleclaw_server.configuration import POLICY_FIELDS, policy
from idleclaw_server.policy import Policy
from idleclaw_server.settings import Settings

README = Path(__file__).parents[2] / "README.md"


def _expected_rows() -> list[str]:
    return [
        f"| `IDLECLAW_{name.upper()}` | `{shown_default(field)}` | "
        f"{' '.join((field.description or '').split())} |"
        for name, field in Settings.model_fields.items()
    ]


def test_the_readme_lists_every_setting() -> None:
    text = README.read_text("utf-8")
    table = re.search(r"<!-- router settings -->\n.*\n.*\n((?:\|.*\n)+)", text)
    assert table is not None
    assert table.group(1).splitlines() == _expected_rows()


def test_the_help_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["--help"])
    assert exit_info.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    for name, field in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')} " in shown
        assert field.description
        assert " ".join(field.description.split()) in shown


def test_settings_of_answers_win_over_the_base_where_they_are_given() -> None:
    base = Policy(max_content_chars=5, max_thinking_chars=6, total_seconds=7)
    assert policy(Settings(), base).max_content_chars == 5
    assert policy(Settings(answer_chars=8), base).max_content_chars == 8
    assert policy(Settings(thinking_chars=8), base).max_thinking_chars == 8
    assert policy(Settings(answer_seconds=8), base).total_seconds == 8


@pytest.mark.parametrize(("name", "field"), POLICY_FIELDS.items())
def test_the_defaults_shown_are_those_of_the_policy(name: str, field: str) -> None:
    assert Settings.model_fields[name].default == getattr(Policy(), field)


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--port", "70000", "less than or equal to 65535"),
        ("--trusted-proxies", "127.0.0.1,nonsense", "not a valid IPv4 or IPv6 network"),
        ("--cors-origins", "chat.elsewhere", "an origin is written like"),
        ("--address-limits", "perhaps", "valid boolean"),
        ("--chats-per-minute", "-1", "greater than or equal to 0"),
        ("--prompt-history", "0", "greater than or equal to 1"),
        ("--prompt-safety", "x" * 8001, "at most 8000 characters"),
        ("--inbound-patterns", "x", "a JSON list"),
        ("--outbound-patterns", '["("]', "pattern 1 is wrong"),
        ("--log-format", "xml", "'plain' or 'json'"),
        ("--admin-token", "short", "at least 16 printable"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(
    flag: str,
    value: str,
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    variable = "IDLECLAW_" + flag.removeprefix("--").replace("-", "_").upper()
    assert main([flag, value]) == 2
    by_flag = capsys.readouterr()
    monkeypatch.setenv(variable, value)
    assert main([]) == 2
    by_variable = capsys.readouterr()
    assert by_flag.out == ""
    assert by_flag.err == by_variable.err
    assert by_flag.err.count("\n") == 1
    assert by_flag.err.startswith(f"idleclaw-server: {flag} ({variable}): ")
    assert words in by_flag.err
    assert value not in by_flag.err


def test_an_unknown_flag_does_not_print_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["--nonsense"])
    assert exit_info.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_lists_take_commas_and_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDLECLAW_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8 fd00::/8,")
    monkeypatch.setenv("IDLECLAW_CORS_ORIGINS", "https://a.example/,http://localhost:3000")
    settings = Settings()
    networks = ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"]
    assert settings.trusted_proxies == tuple(map(ip_network, networks))
    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"IDLECLAW_{name.upper()}", "")
    assert Settings() == Settings.model_construct()


def test_the_token_is_in_no_text_of_the_settings() -> None:
    """A27: settings may be printed or logged without giving it away."""
    assert "a-secret-of-length" not in repr(Settings(admin_token="a-secret-of-length"))
    with pytest.raises(ValidationError) as error:
        Settings(admin_token="s3cret\x00" * 4)
    assert "s3cret" not in str(error.value)
