"""What the tests of the screenshots share: the sizes, and a screen on which nothing moves."""

from collections.abc import Callable

import pytest

from tests.screen.driving import Screen

Shoot = Callable[[Screen, str], None]
Size = tuple[int, int]
LARGE, USUAL, SMALL = (120, 40), (80, 24), (40, 12)
SIZES = pytest.mark.parametrize(
    "size", [LARGE, USUAL, SMALL], ids=lambda size: f"{size[0]}x{size[1]}"
)


def still(screen: Screen, size: Size, name: str) -> str:
    """Stop what moves by itself, and return the name of the picture."""
    screen.prompt.cursor_blink = False
    return f"{name}-{size[0]}x{size[1]}"
