"""The page for those who carry on knows every package of the terminal side."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_package_of_the_terminal_side_has_its_row() -> None:
    packages = {path.parent.name for path in (ROOT / "idleclaw_tui").glob("*/__init__.py")}
    rows = dict(re.findall(r"^\| `([a-z]+)/` \| (.*) \|$", PAGE, re.MULTILINE))
    assert sorted(rows) == sorted(packages)
    for package, row in rows.items():
        inside = {path.stem for path in (ROOT / "idleclaw_tui" / package).rglob("*")}
        assert set(re.findall(r"`([a-z_]+)/?`", row)) <= inside | {"ollama"}, package
