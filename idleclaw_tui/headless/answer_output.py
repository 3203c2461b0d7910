"""Where the parts of an answer go without a screen: the answer to stdout, talk to stderr."""

import json
from dataclasses import dataclass
from typing import Any, TextIO

from idleclaw_tui import words
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.router.chat_updates import (
    ChatUpdate,
    Finished,
    TextPiece,
    ThinkingPiece,
    ToolProgress,
    Waiting,
)


@dataclass(frozen=True, slots=True)
class Talk:
    """What is said on stderr beside the answer: `notices` of the wait, and `statistics`.

    Errors are always said. Thinking is shown where it was asked for.
    """

    stderr: TextIO
    notices: bool = False
    statistics: bool = False
    thinking: bool = False

    def say(self, line: str) -> None:
        """Write a line, if notices are wanted."""
        if self.notices:
            self.stderr.write(f"{line}\n")
            self.stderr.flush()


class PrintedAnswer:
    """Tokens on stdout as they come; the last line is ended."""

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout
        self._line_open = False

    def text(self, text: str) -> None:
        self._stdout.write(text)
        self._stdout.flush()
        self._line_open = not text.endswith("\n")

    def thinking(self, text: str) -> None:
        """Thinking is talk, not answer."""

    def end(self, finished: Finished) -> None:
        if self._line_open:
            self._stdout.write("\n")
            self._stdout.flush()


class CollectedAnswer:
    """One JSON object on stdout at the end; the client bounds what an answer can be."""

    def __init__(self, stdout: TextIO, model: str) -> None:
        self._stdout = stdout
        self._model = model
        self._text: list[str] = []
        self._thinking: list[str] = []

    def text(self, text: str) -> None:
        self._text.append(text)

    def thinking(self, text: str) -> None:
        self._thinking.append(text)

    def end(self, finished: Finished) -> None:
        answer: dict[str, Any] = {"model": self._model, "text": "".join(self._text)}
        if self._thinking:
            answer["thinking"] = "".join(self._thinking)
        answer["finish_reason"] = finished.reason
        answer["usage"] = finished.usage.model_dump() if finished.usage else None
        answer["timings"] = finished.timings.model_dump() if finished.timings else None
        if finished.error is not None:
            answer["error"] = finished.error
        self._stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        self._stdout.flush()


class AnswerWriter:
    """Sends each update where it belongs: the answer to `output`, the rest to `talk`."""

    def __init__(self, output: PrintedAnswer | CollectedAnswer, talk: Talk) -> None:
        self._output = output
        self._talk = talk
        self._last_notice = ""
        self._thinking = False
        self.exit_code = ExitCode.CUT

    def show(self, update: ChatUpdate) -> None:
        match update:
            case TextPiece(text):
                self._end_thinking()
                self._output.text(text)
            case ThinkingPiece(text):
                self._think(text)
            case Waiting():
                self._notice(_waiting_line(update))
            case ToolProgress(name, status):
                self._notice(f"Tool {name}: {status}.")
            case Finished():
                self._end_thinking()
                self._end(update)

    def _think(self, text: str) -> None:
        self._output.thinking(text)
        if self._talk.thinking:
            self._thinking = True
            self._talk.stderr.write(text)
            self._talk.stderr.flush()
        else:
            self._notice("The model is thinking.")

    def _end_thinking(self) -> None:
        if self._thinking:
            self._thinking = False
            self._talk.stderr.write("\n\n")
            self._talk.stderr.flush()

    def _notice(self, line: str) -> None:
        if line != self._last_notice:
            self._last_notice = line
            self._talk.say(line)

    def _end(self, finished: Finished) -> None:
        self._output.end(finished)
        if finished.error is not None:
            self._talk.stderr.write(f"{finished.error}\n")
            return
        self.exit_code = ExitCode.OK
        if finished.reason == "length":
            self._talk.say("The answer ends at the length limit.")
        if self._talk.statistics:
            self._talk.stderr.write(f"{_statistics_line(finished)}\n")


def _waiting_line(waiting: Waiting) -> str:
    if waiting.state == "loading":
        return "The node loads the model."
    if waiting.state == "waiting":
        return "Waiting for the first token."
    place = f"{words.ordinal(waiting.position)} in line" if waiting.position else None
    eta = f"about {words.duration(waiting.eta_seconds)}" if waiting.eta_seconds else None
    return f"{words.joined('Waiting for a free node', place, eta)}."


def _statistics_line(finished: Finished) -> str:
    usage, timings = finished.usage, finished.timings
    rate = timings.tokens_per_second if timings else None
    first_token = timings.first_token if timings else None
    return words.joined(
        words.count(usage.completion_tokens, "token") if usage else None,
        words.rate(rate) if rate is not None else None,
        f"first token {words.duration(first_token)}" if first_token is not None else None,
        f"total {words.duration(timings.total)}" if timings else None,
        f"ended by {finished.reason}" if finished.reason else "the router gives no statistics",
    )
