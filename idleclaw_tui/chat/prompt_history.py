"""What was sent before, to be had back line by line as in a shell."""

from typing import Final

MAX_ENTRIES: Final = 200


class PromptHistory:
    """The last `MAX_ENTRIES` messages; the oldest is forgotten first.

    While one of them stands in the prompt, the draft that stood there before is kept here.
    """

    def __init__(self) -> None:
        self._entries: list[str] = []
        self._at: int | None = None
        self._draft = ""

    def add(self, message: str) -> None:
        """Note a message that was sent; the walk begins anew."""
        if not self._entries or self._entries[-1] != message:
            self._entries.append(message)
            del self._entries[:-MAX_ENTRIES]
        self.leave()

    def older(self, current: str) -> str | None:
        """Return the message before, or None at the oldest; `current` is kept as the draft."""
        if self._at is None:
            self._draft = current
        at = len(self._entries) if self._at is None else self._at
        if at == 0:
            return None
        self._at = at - 1
        return self._entries[self._at]

    def newer(self) -> str | None:
        """Return the message after, the draft after the newest, or None outside of a walk."""
        if self._at is None:
            return None
        self._at += 1
        if self._at < len(self._entries):
            return self._entries[self._at]
        self._at = None
        return self._draft

    def leave(self) -> None:
        """End the walk: what stands in the prompt is the draft from now on."""
        self._at = None
        self._draft = ""
