"""Cutting a byte stream of newline-delimited JSON into lines."""

from typing import Final

from idleclaw_protocol.limits import MAX_FRAME_BYTES

MAX_LINE_BYTES: Final = MAX_FRAME_BYTES
"""A longer line could not be passed on in one frame."""


class LineTooLong(Exception):
    """A line has grown over `MAX_LINE_BYTES` without an end."""


class JsonLines:
    """Splits at LF alone: other line ends of Unicode may stand unescaped inside a JSON string.

    At most one unfinished line is held, up to `MAX_LINE_BYTES`.
    """

    __slots__ = ("_held", "_held_bytes")

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._held_bytes = 0

    def decode(self, data: bytes) -> list[bytes]:
        """Return the lines that `data` completes, without their ends and without blank ones.

        Raises `LineTooLong`; the lines before the long one are lost then.
        """
        *ended, rest = data.split(b"\n")
        if ended and self._held:
            ended[0] = b"".join((*self._held, ended[0]))
            self._held.clear()
            self._held_bytes = 0
        if rest:
            self._held.append(rest)
            self._held_bytes += len(rest)
        if self._held_bytes > MAX_LINE_BYTES or any(len(line) > MAX_LINE_BYTES for line in ended):
            raise LineTooLong
        return [line for line in ended if line.strip()]

    def flush(self) -> list[bytes]:
        """Return the last line, where the stream ended without a line end."""
        line = b"".join(self._held)
        self._held.clear()
        self._held_bytes = 0
        return [line] if line.strip() else []
