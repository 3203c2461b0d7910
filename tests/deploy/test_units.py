"""The systemd units start what there is, with settings that there are."""

import shlex
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from idleclaw_server.settings import Settings
from idleclaw_tui.command_line import read_command_line

DEPLOY = Path(__file__).parents[2] / "server" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


class _Unit(ConfigParser):
    """Keys of a unit, in which a repeated one collects its values."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, interpolation=None)
        self.lines = path.read_text(encoding="utf-8").splitlines()
        self.read(path, encoding="utf-8")

    def optionxform(self, optionstr: str) -> str:
        return optionstr

    def all(self, key: str) -> list[str]:
        return [line.partition("=")[2] for line in self.lines if line.startswith(f"{key}=")]


def test_the_router_unit_sets_only_settings_that_exist() -> None:
    unit = _Unit(DEPLOY / "idleclaw-server.service")
    given = dict(setting.split("=", 1) for setting in unit.all("Environment"))
    known = {name.removeprefix("IDLECLAW_").lower(): value for name, value in given.items()}
    assert set(known) <= set(Settings.model_fields)
    settings = Settings.model_validate(known)
    assert "127.0.0.1" in str(settings.trusted_proxies)
    drain = float(Settings.model_fields["drain_seconds"].default)
    assert float(unit["Service"]["TimeoutStopSec"]) > drain


def test_the_node_unit_gives_only_flags_that_exist() -> None:
    program, *arguments = shlex.split(
        _Unit(DEPLOY / "idleclaw-contribute.service")["Service"]["ExecStart"]
    )
    assert program.endswith("/idleclaw-tui")
    assert read_command_line(arguments).mode == "contribute"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_units_are_locked_up(path: Path) -> None:
    service = _Unit(path)["Service"]
    for key, value in {
        "DynamicUser": "yes",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "CapabilityBoundingSet": "",
        "RestartPreventExitStatus": "2",
    }.items():
        assert service[key] == value, key


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_systemd_understands_every_line(path: Path, tmp_path: Path) -> None:
    """The programs stand elsewhere in the test, the rest is verified as it is."""
    copy = tmp_path / path.name
    text = path.read_text(encoding="utf-8")
    copy.write_text(text.replace("/opt/idleclaw/bin/idleclaw-", "/bin/true "), encoding="utf-8")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert path.name not in verified.stderr, verified.stderr
