"""Screenshots as expectations."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.screen.driving import Screen

DIRECTORY = Path(__file__).parents[2] / "screenshots"
UPDATE = "UPDATE_SCREENSHOTS"


@pytest.fixture
def screenshot() -> Callable[[Screen, str], None]:
    """Compare the screen with `screenshots/NAME.svg`, or write that file.

    `UPDATE_SCREENSHOTS=1 pytest tests/screen -k screenshots` writes all of them anew.
    """

    def compare(screen: Screen, name: str) -> None:
        svg = re.sub(r"terminal-\d+", "terminal", screen.app.export_screenshot())
        path = DIRECTORY / f"{name}.svg"
        if os.environ.get(UPDATE):
            path.write_text(svg, encoding="utf-8")
        same = path.exists() and path.read_text(encoding="utf-8") == svg
        assert same, f"{path.name} differs; {UPDATE}=1 writes it anew, then look at it"

    return compare
