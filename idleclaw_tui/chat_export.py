"""A chat as a file: Markdown for people, JSON that can be opened again."""

import re
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from idleclaw_protocol.chat import Timings, Usage
from idleclaw_protocol.limits import MAX_MESSAGE_CHARS, MAX_MODEL_NAME_CHARS
from idleclaw_protocol.text_safety import clean, clean_line
from idleclaw_tui import words
from idleclaw_tui.answer import MAX_ANSWER_CHARS, MAX_THINKING_CHARS, Answer, Outcome
from idleclaw_tui.chat_history import MAX_INSTRUCTIONS_CHARS
from idleclaw_tui.chats import Chat
from idleclaw_tui.errors import IdleClawError
from idleclaw_tui.transcript import MAX_EXCHANGES, Exchange, Transcript

MAX_FILE_BYTES: Final = 64 << 20
"""A larger file is not opened."""

Kind = Literal["markdown", "json"]
_SUFFIXES: Final[dict[str, Kind]] = {".md": "markdown", ".json": "json"}
_MAX_ERROR_CHARS: Final = 1_000


class NotAChat(IdleClawError):
    """The bytes are no chat as this program exports them; `what` says how they differ."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"This is no exported chat: {self.what}."


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ExportedAnswer(_Part):
    """An answer in a file. Times in seconds; `outcome` says why it ended."""

    model: Annotated[str, Field(max_length=MAX_MODEL_NAME_CHARS * 4)]
    text: Annotated[str, Field(max_length=MAX_ANSWER_CHARS)] = ""
    thinking: Annotated[str, Field(max_length=MAX_THINKING_CHARS)] = ""
    thinking_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    outcome: Outcome = "stopped"
    error: Annotated[str, Field(max_length=_MAX_ERROR_CHARS)] | None = None
    tokens: Annotated[int, Field(ge=0)] = 0
    usage: Usage | None = None
    timings: Timings | None = None


class ExportedExchange(_Part):
    """A question and its answer in a file."""

    question: Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE_CHARS)]
    answer: ExportedAnswer


class ExportedChat(_Part):
    """A chat in a file."""

    format: Literal["idleclaw-chat"] = "idleclaw-chat"
    version: Literal[1] = 1
    title: Annotated[str, Field(max_length=1_000)] = ""
    instructions: Annotated[str, Field(max_length=MAX_INSTRUCTIONS_CHARS)] = ""
    exchanges: Annotated[tuple[ExportedExchange, ...], Field(max_length=MAX_EXCHANGES)]


def kind_of(name: str) -> Kind | None:
    """Return what a file of that name is to hold, or None where its ending says neither."""
    return next((kind for end, kind in _SUFFIXES.items() if name.lower().endswith(end)), None)


def file_name(title: str) -> str:
    """Return a name for the file of a chat, made of the letters and digits of its title."""
    parts = re.findall(r"[^\W_]+", title.lower())
    return f"{'-'.join(parts)[:40].strip('-') or 'chat'}.md"


def as_json(chat: Chat) -> bytes:
    """Return the chat as JSON, with models, timings and usage."""
    exported = ExportedChat(
        title=chat.title,
        instructions=chat.transcript.instructions,
        exchanges=tuple(
            ExportedExchange(question=each.question, answer=_exported(each.answer))
            for each in chat.transcript.exchanges
        ),
    )
    return exported.model_dump_json(indent=2, exclude_none=True).encode() + b"\n"


def as_markdown(chat: Chat) -> bytes:
    """Return the chat as Markdown, with a line of model, usage and timings under each answer."""
    parts = [f"# {chat.title}"]
    if chat.transcript.instructions:
        parts.append(f"Instructions:\n\n{_quoted(chat.transcript.instructions)}")
    for each in chat.transcript.exchanges:
        answer = each.answer
        parts += [f"## You\n\n{each.question}", f"## {answer.model}"]
        if answer.thinking:
            parts.append(_quoted(f"{_thought(answer)}\n\n{answer.thinking}"))
        if answer.text:
            parts.append(_closed(answer.text))
        parts.append(f"*{_facts(answer)}*")
    return ("\n\n".join(parts) + "\n").encode()


def from_json(data: bytes) -> Transcript:
    """Return the conversation in an exported file, its text cleaned. Raises `NotAChat`."""
    if len(data) > MAX_FILE_BYTES:
        raise NotAChat(f"it is larger than {words.size(MAX_FILE_BYTES)}")
    try:
        exported = ExportedChat.model_validate_json(data)
    except ValidationError as error:
        raise NotAChat(_difference(error)) from None
    transcript = Transcript()
    transcript.instructions = clean(exported.instructions)
    transcript.exchanges = [
        Exchange(clean(each.question), _answer(each.answer)) for each in exported.exchanges
    ]
    if not all(each.question and each.answer.model for each in transcript.exchanges):
        raise NotAChat("a question in it, or the name of a model, is empty")
    return transcript


def _exported(answer: Answer) -> ExportedAnswer:
    return ExportedAnswer(
        model=answer.model,
        text=answer.text,
        thinking=answer.thinking,
        thinking_seconds=answer.thinking_seconds,
        outcome=answer.outcome or "stopped",
        error=answer.error,
        tokens=answer.tokens,
        usage=answer.usage,
        timings=_timings(answer),
    )


def _timings(answer: Answer) -> Timings | None:
    """Return the router's timings, or what was seen from here where it does not tell them."""
    if answer.timings is not None or answer.first_text_at is None:
        return answer.timings
    end = answer.last_text_at if answer.ended_at is None else answer.ended_at
    return Timings(first_token=answer.first_text_at - answer.asked_at, total=end - answer.asked_at)


def _answer(exported: ExportedAnswer) -> Answer:
    answer = Answer(
        clean_line(exported.model, MAX_MODEL_NAME_CHARS),
        0.0,
        before=clean(exported.text),
        tokens_before=max(0, exported.tokens - (exported.usage or Usage()).completion_tokens),
        thinking_before=clean(exported.thinking),
        thinking_seconds=exported.thinking_seconds,
        usage=exported.usage,
        timings=exported.timings,
    )
    failed = exported.outcome == "failed"
    said = clean_line(exported.error or "The answer was cut.", _MAX_ERROR_CHARS)
    answer.end(exported.outcome, 0.0, said if failed else None)
    return answer


def _difference(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    said = clean_line(str(first["msg"]), 200).rstrip(".")
    return f"{place}: {said}" if place else said


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _thought(answer: Answer) -> str:
    return f"Thought for {words.duration(answer.thinking_seconds)}"


def _closed(text: str) -> str:
    """Close a fence that a cut answer left open: what follows would be code otherwise."""
    fences = re.findall(r"^ {0,3}(`{3,}|~{3,})", text, re.MULTILINE)
    return f"{text}\n{fences[-1]}" if len(fences) % 2 else text


def _facts(answer: Answer) -> str:
    timings = _timings(answer) or Timings()
    ended = {
        None: "not complete when this was written",
        "complete": None,
        "length": "cut at the length limit",
        "tool_calls": "ended with a tool call",
        "stopped": "stopped",
        "failed": answer.error,
    }[answer.outcome]
    first = timings.first_token
    return words.joined(
        answer.model,
        words.count(answer.tokens, "token"),
        words.rate(timings.tokens_per_second) if timings.tokens_per_second else None,
        f"first token {words.duration(first)}" if first is not None else None,
        f"queued {words.duration(timings.queued)}" if timings.queued >= 0.05 else None,
        f"in all {words.duration(timings.total)}" if timings.total else None,
        ended,
    )
