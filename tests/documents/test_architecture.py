"""The page for those who carry on knows every module of the terminal side."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_module_of_the_terminal_side_has_its_place() -> None:
    modules = {path.stem for path in (ROOT / "idleclaw_tui").glob("*.py")}
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert sorted(modules - named - {"__init__", "__main__"}) == []
