"""What the documents say is there is there: links, modules, variables, flags, exit codes."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from idleclaw_tui.exit_codes import ExitCode

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "server" / "deploy" / "README.md",
]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_MODULE = re.compile(r"`([a-z_/]+(?:\.py|/))`")


def _anchors(page: Path) -> set[str]:
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert not anchor or anchor in _anchors(target), anchor


def test_the_architecture_page_names_modules_that_exist() -> None:
    bases = [
        ROOT,
        *(ROOT / name for name in ("idleclaw_tui", "server", "tests", "server/idleclaw_server")),
    ]
    for name in _MODULE.findall((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")):
        assert any((base / name).exists() for base in bases), name


def test_the_programs_of_the_tests_that_are_named_exist() -> None:
    """The benchmarks take minutes: what is asked here is that they can be started."""
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    names = set(re.findall(r"\btests\.bench\.[a-z_]+", pages))
    assert len(names) > 4
    for name in names:
        assert callable(import_module(name).main)


def test_exit_codes_stand_in_the_readme_as_they_are() -> None:
    rows = re.findall(r"^\| (\d+) \| ", README, re.MULTILINE)
    assert [int(row) for row in rows] == [code.value for code in ExitCode]


@pytest.mark.parametrize("program", ["idleclaw-tui", "idleclaw-server"])
def test_every_flag_in_the_documents_is_in_the_help(program: str) -> None:
    module = program.replace("-", "_")
    commands: list[list[str]] = [[]]
    if program == "idleclaw-tui":
        commands += [["consume"], ["status"], ["contribute"], ["local"], ["skill"]]
    helps = "".join(
        subprocess.run(
            [sys.executable, "-m", module, *command, "--help"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for command in commands
    )
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    lines = [line for line in re.findall(rf"{program}[^\n`]*", pages) if "uv run" not in line]
    flags = {flag for line in lines for flag in re.findall(r"(?<=\s)--[a-z][a-z-]*", line)}
    assert flags
    assert {flag for flag in flags if flag not in helps} == set()
