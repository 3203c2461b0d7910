"""The one line that says how an answer is doing, or how it went."""

from idleclaw_tui import words
from idleclaw_tui.answer import Answer
from idleclaw_tui.answer_advice import advice
from idleclaw_tui.words import Tone, Toned


def answer_line(answer: Answer, now: float) -> tuple[Toned, ...]:
    """Return the line for `answer`: glyph, model, and what is known of time, tokens and end."""
    if answer.ended:
        return _ended(answer, now)
    if answer.first_text_at is not None:
        return _streaming(answer, now)
    return _awaited(answer, now)


def thinking_line(answer: Answer, now: float) -> str:
    """Return how long the model has thought, or thought."""
    since = answer.thinking_since
    if since is not None:
        seconds = answer.thinking_seconds + now - since
        return f"{words.LOADING} thinking {words.whole_seconds(seconds)}"
    return f"thought for {words.duration(answer.thinking_seconds)}"


def _line(glyph: str, tone: Tone, *parts: str | None) -> tuple[Toned, ...]:
    return Toned(f"{glyph} ", tone), Toned(words.joined(*parts), "dim")


def _awaited(answer: Answer, now: float) -> tuple[Toned, ...]:
    waited = words.whole_seconds(now - answer.asked_at)
    if answer.tool is not None:
        return _line(words.LOADING, "second", answer.model, f"using {answer.tool.name}", waited)
    if answer.thinking_since is not None:
        return _line(words.LOADING, "second", answer.model, "thinking", waited, "esc stops")
    waiting = answer.waiting
    if waiting is None or waiting.state == "waiting":
        return _line(words.WAITING, "warn", answer.model, "waiting for the first token", waited)
    if waiting.state == "loading":
        return _line(words.LOADING, "warn", answer.model, "loading the model", waited)
    place = waiting.position
    eta = waiting.eta_seconds
    return _line(
        words.WAITING,
        "warn",
        answer.model,
        "waiting",
        f"{words.ordinal(place)} in line" if place is not None else None,
        f"about {words.whole_seconds(eta)}" if eta is not None else waited,
        "esc stops",
    )


def _streaming(answer: Answer, now: float) -> tuple[Toned, ...]:
    tool = f"using {answer.tool.name}" if answer.tool else None
    return _line(
        words.ACTIVE,
        "second",
        answer.model,
        tool,
        words.count(answer.tokens, "token"),
        _observed_rate(answer),
        "esc stops",
    )


def _observed_rate(answer: Answer) -> str | None:
    if answer.timings and answer.timings.tokens_per_second:
        return words.rate(answer.timings.tokens_per_second)
    began = answer.first_text_at
    if began is None or answer.chunks < 2 or answer.last_text_at - began < 0.2:
        return None
    return words.rate((answer.chunks - 1) / (answer.last_text_at - began))


def _ended(answer: Answer, now: float) -> tuple[Toned, ...]:
    tokens = words.count(answer.tokens, "token") if answer.tokens else None
    if answer.outcome == "failed":
        kept = f"{tokens} kept" if answer.text and tokens else None
        error = words.sentence(answer.error or "")
        return (
            Toned(f"{words.FAILED} ", "bad"),
            Toned(error, "bad"),
            Toned(f" {words.joined(answer.model, kept, advice(answer, now))}", "dim"),
        )
    if answer.outcome == "stopped":
        when = f"stopped after {tokens}" if tokens else "stopped before the first token"
        return _line(words.PAUSED, "warn", answer.model, when, advice(answer, now))
    complete = answer.outcome == "complete"
    return _line(
        words.DONE if complete else words.PAUSED,
        "good" if complete else "warn",
        answer.model,
        tokens,
        _observed_rate(answer),
        _first_token(answer),
        _queued(answer),
        _why(answer),
        advice(answer, now) if answer.can_go_on else None,
    )


def _first_token(answer: Answer) -> str | None:
    seconds = answer.timings.first_token if answer.timings else None
    if seconds is None and answer.first_text_at is not None:
        seconds = answer.first_text_at - answer.asked_at
    return f"first token {words.duration(seconds)}" if seconds is not None else None


def _queued(answer: Answer) -> str | None:
    queued = answer.timings.queued if answer.timings else 0.0
    return f"queued {words.duration(queued)}" if queued >= 0.05 else None


def _why(answer: Answer) -> str | None:
    if answer.outcome == "length":
        return "cut at the length limit"
    if answer.outcome == "tool_calls":
        return "ended with a tool call"
    return None if answer.text else "an empty answer, ^r asks again"
