"""Make every screenshot anew: `uv run --with cairosvg python -m tests.screen.pictures`.

The SVGs come from the real application on scripted networks, through the tests that compare them.
The README shows three of them as PNG, since pages that embed an SVG do not load its fonts: for
these, Cairo and a font that has every sign are needed (Debian: libcairo2, fonts-dejavu-core).
"""

import os
import subprocess
import sys
from importlib import import_module
from typing import Any, Final

from tests.screen.conftest import DIRECTORY, UPDATE

SHOWN: Final = ("chat-finished", "network", "contribute-streaming")
SIZE: Final = "120x40"
NAMED_FONT, WHOLE_FONT = "Fira Code", "DejaVu Sans Mono"
"""Cairo draws boxes for what the font lacks; Fira Code has no signs for waiting and failing."""


def main() -> int:
    """Write the SVGs, then the PNGs; return pytest's exit status."""
    tests = [sys.executable, "-m", "pytest", "-q", "tests/screen", "-k", "screenshots"]
    written = subprocess.run(tests, env={**os.environ, UPDATE: "1"}, check=False).returncode
    cairosvg: Any = import_module("cairosvg")
    for name in SHOWN:
        picture = DIRECTORY / f"{name}-{SIZE}.svg"
        target = picture.with_suffix(".png")
        drawing = picture.read_text(encoding="utf-8").replace(NAMED_FONT, WHOLE_FONT)
        cairosvg.svg2png(bytestring=drawing.encode(), write_to=str(target))
    return written


if __name__ == "__main__":
    sys.exit(main())
