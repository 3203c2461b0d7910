"""The search over all open chats."""

from collections.abc import Sequence

from textual.content import Content

from idleclaw_tui.chat.chats import Chat
from idleclaw_tui.chat.search import Found, Hit, search
from idleclaw_tui.screen.widgets.pick_list import PickList
from idleclaw_tui.screen.widgets.safe_text import toned
from idleclaw_tui.words import Toned


def hit_line(number: int, hit: Hit) -> Content:
    """Return the chat's number and the words found, with what surrounds them."""
    return toned(
        (
            Toned(f"{number} ", "accent"),
            Toned("answer  " if hit.by_model else "you     ", "dim"),
            Toned(hit.snippet[: hit.start], "dim"),
            Toned(hit.snippet[hit.start : hit.end], "strong"),
            Toned(hit.snippet[hit.end :], "dim"),
        )
    )


class ChatSearch(PickList[Hit]):
    """Finds words in the open chats; ends with the place that was taken, or None."""

    HELP = "Words in your open chats. All of them must occur. **Enter** goes there."
    DEFAULT_CSS = "ChatSearch #picker-box { width: 100; }"

    def __init__(self, chats: Sequence[Chat]) -> None:
        super().__init__("Search the open chats", "Words to look for")
        self._chats = tuple(chats)
        self._found = Found((), complete=True)

    def narrowed(self, typed: str, width: int) -> Sequence[tuple[Hit, Content]]:
        """Return the places where all the words occur."""
        self._found = search(self._chats, typed)
        return [(hit, hit_line(self._chats.index(hit.chat) + 1, hit)) for hit in self._found.hits]

    def empty(self, typed: str) -> str:
        """Return why nothing is listed."""
        if not typed.strip():
            return "Nothing is searched but what is open here."
        return "Found nowhere." if self._found.complete else "Not found in the newest parts."
