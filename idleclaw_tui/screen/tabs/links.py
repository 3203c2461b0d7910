"""What happens to a link in an answer: shown in full, opened only by the person's own decision."""

import os
import sys
from typing import Final
from urllib.parse import urlsplit

from textual.widget import Widget

from idleclaw_protocol.text_safety import clean
from idleclaw_tui.screen.widgets.choice import Choice, Way
from idleclaw_tui.screen.widgets.safe_text import toast

MAX_LINK_CHARS: Final = 2_000


def is_web_address(link: str) -> bool:
    """Return whether `link` is a plain http or https address that may be opened."""
    if len(link) > MAX_LINK_CHARS or clean(link) != link or any(char.isspace() for char in link):
        return False
    try:
        parts = urlsplit(link)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        )
    except ValueError:
        return False


def ask_about_link(widget: Widget, link: str) -> None:
    """Show where the link leads; open or copy it if the person wants that.

    Text-mode browsers would draw over the screen, so opening is offered on desktops alone.
    """
    ways = [Way("c", "Copy it")]
    if not is_web_address(link):
        title = "Not a web address"
    else:
        title = f"Link to {urlsplit(link).hostname}"
        if _has_desktop():
            ways.insert(0, Way("o", "Open it in the browser"))

    def decided(way: str | None) -> None:
        if way == "o":
            widget.app.open_url(link)
        elif way == "c":
            widget.app.copy_to_clipboard(clean(link))
            toast(widget, "Copied the link.")

    widget.app.push_screen(Choice(title, link[:MAX_LINK_CHARS], ways), decided)


def _has_desktop() -> bool:
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
