"""What is fuzzed: everything that reads bytes of strangers, with what must hold for any of them."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from pydantic_core import from_json

from idleclaw_protocol.chat import ChatBody
from idleclaw_protocol.frame_reading import (
    FrameError,
    read_heartbeat,
    read_object,
    read_register,
    read_router_frame,
)
from idleclaw_protocol.text_safety import TextCleaner, clean, is_unsafe
from idleclaw_server.answer_filter import AnswerFilter
from idleclaw_server.chunk_reading import MAX_PART_CHARS, parts, read_chunk
from idleclaw_server.errors import ChunkError
from idleclaw_server.tool_calls import cleaned_call, tagged_calls
from idleclaw_tui.router.chat_stream import ChatStream
from idleclaw_tui.router.chat_updates import Finished


def _pieces(text: str) -> list[str]:
    """Cut a text into pieces whose lengths depend on the text itself."""
    size = 1 + sum(map(ord, text[:4])) % 7
    return [text[at : at + size] for at in range(0, len(text), size)]


def cleaner(text: str) -> None:
    """Nothing that steers a terminal is left, wherever the text was cut."""
    whole = clean(text)
    assert is_unsafe(whole) is None
    pieces = TextCleaner()
    assert "".join(map(pieces.decode, _pieces(text))) == whole


def stripper(text: str) -> None:
    """The whole and its pieces give the same clean text and the same calls."""
    whole, cut = AnswerFilter(), AnswerFilter()
    delivered = whole.decode(text) + whole.flush()
    assert is_unsafe(delivered) is None
    assert "".join(map(cut.decode, _pieces(text))) + cut.flush() == delivered
    assert whole.calls == cut.calls
    for call in tagged_calls(whole.calls):
        assert cleaned_call(call) == call


def frames(text: str) -> None:
    """A frame is read or refused."""
    with suppress(FrameError):
        read_router_frame(text)
    with suppress(FrameError):
        frame = read_object(text)
        for read in (read_register, read_heartbeat):
            with suppress(FrameError):
                read(frame)
        with suppress(ChunkError):
            whole = read_chunk(frame)
            for call in whole.message.tool_calls or ():
                cleaned_call(call)
            *_, last = pieces = [read_chunk(part) for part in parts(frame)]
            assert "".join(piece.message.content for piece in pieces) == whole.message.content
            assert all(len(piece.message.content) <= MAX_PART_CHARS for piece in pieces)
            assert last.message.tool_calls == whole.message.tool_calls


def bodies(text: str) -> None:
    """A body is read or refused: a `ValidationError` is a `ValueError`."""
    with suppress(ValueError):
        ChatBody.model_validate(from_json(text.encode(), allow_inf_nan=False))


def events(text: str) -> None:
    """Whatever a router sends, an answer ends exactly once."""
    stream = ChatStream()
    updates = [update for line in text.split("\n") for update in stream.decode(line)]
    updates += stream.flush()
    assert [type(update) for update in updates].count(Finished) == 1
    assert isinstance(updates[-1], Finished)


TARGETS: Final[tuple[Callable[[str], None], ...]] = (cleaner, stripper, frames, bodies, events)


def one_input(data: bytes) -> None:
    """Give everything but the first byte to the target that it chooses."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:].decode("utf-8", "surrogatepass"))
