"""From a node's chunk to what it says, with every shape checked.

The path of a plain text chunk looks at the parsed object itself: a model of it would cost more
than all the rest of the relay.
"""

from typing import Final

from pydantic import ValidationError

from idleclaw_protocol.chat import FinishReason, Usage
from idleclaw_protocol.frames import Chunk
from idleclaw_server.errors import ChunkError

MAX_PART_CHARS: Final = 1_024
"""A longer text in one chunk is read in parts: cleaning it takes up to 15 us a character."""


def plain_text(chunk: object) -> str | None:
    """Return the text of a chunk that holds nothing else, or None where it needs full reading."""
    if type(chunk) is not dict or chunk.get("done") is not False:
        return None
    message = chunk.get("message")
    if type(message) is not dict or "thinking" in message or "tool_calls" in message:
        return None
    content = message.get("content")
    return content if type(content) is str else None


def parts(chunk: object) -> list[object]:
    """Return what says the same as `chunk`, with texts of at most `MAX_PART_CHARS` each."""
    message = chunk.get("message") if type(chunk) is dict else None
    if type(chunk) is not dict or type(message) is not dict:
        return [chunk]
    thinking, content = message.get("thinking") or "", message.get("content", "")
    if type(thinking) is not str or type(content) is not str:
        return [chunk]
    if max(len(thinking), len(content)) <= MAX_PART_CHARS:
        return [chunk]
    first = [_only("thinking", piece) for piece in _pieces(thinking)]
    *middle, last = _pieces(content) or [""]
    rest = {key: value for key, value in message.items() if key != "thinking"}
    return [
        *first,
        *(_only("content", piece) for piece in middle),
        {**chunk, "message": {**rest, "content": last}},
    ]


def _pieces(text: str) -> list[str]:
    return [text[at : at + MAX_PART_CHARS] for at in range(0, len(text), MAX_PART_CHARS)]


def _only(key: str, text: str) -> dict[str, object]:
    return {"message": {key: text}, "done": False}


def read_chunk(chunk: object) -> Chunk:
    """Return any chunk as a value.

    Raises:
        ChunkError: a field has a wrong type, or there are too many tool calls.
    """
    try:
        return Chunk.model_validate(chunk)
    except ValidationError:
        raise ChunkError("a chunk of the wrong shape") from None


def finish_reason(chunk: Chunk, *, calls_tools: bool) -> FinishReason:
    """Return why a last chunk says the model stopped; unknown words count as "stop"."""
    if calls_tools:
        return "tool_calls"
    return "length" if chunk.done_reason == "length" else "stop"


def usage(chunk: Chunk) -> Usage | None:
    """Return the counts of a last chunk, or None where the node reports none."""
    if chunk.eval_count is None and chunk.prompt_eval_count is None:
        return None
    prompt, completion = chunk.prompt_eval_count or 0, chunk.eval_count or 0
    return Usage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
    )


def tokens_per_second(chunk: Chunk) -> float | None:
    """Return Ollama's own generation speed, or None where the node reports none."""
    if not chunk.eval_count or not chunk.eval_duration:
        return None
    return chunk.eval_count / (chunk.eval_duration / 1e9)
