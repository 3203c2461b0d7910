"""The state of one conversation: what was asked, what came back, what goes to the router next."""

from dataclasses import dataclass
from typing import Final

from idleclaw_protocol.chat import ChatBody
from idleclaw_tui.answer import Answer
from idleclaw_tui.chat_history import body_for

MAX_EXCHANGES: Final = 1_000


@dataclass(slots=True, eq=False)
class Exchange:
    """A question and its answer."""

    question: str
    answer: Answer


class Transcript:
    """A conversation of at most `MAX_EXCHANGES`; beyond, the oldest exchange is forgotten.

    `instructions` go before everything else to the model. `changes` counts the questions, so that
    two moments of a conversation can be told apart.
    """

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.instructions = ""
        self.changes = 0

    @property
    def last(self) -> Exchange | None:
        """The newest exchange."""
        return self.exchanges[-1] if self.exchanges else None

    @property
    def running(self) -> Answer | None:
        """The answer that still comes in, if one does."""
        last = self.last
        return last.answer if last and not last.answer.ended else None

    def ask(self, question: str, model: str, now: float) -> Exchange:
        """Add a question whose answer is awaited from now on."""
        return self._add(Exchange(question, Answer(model, now)))

    def ask_instead(self, old: Exchange, question: str, model: str, now: float) -> Exchange:
        """Replace `old` and everything after it by a question whose answer is awaited.

        Raises ValueError where `old` is no longer part of the conversation.
        """
        del self.exchanges[self.exchanges.index(old) :]
        return self.ask(question, model, now)

    def ask_again(self, model: str, now: float) -> Exchange:
        """Replace the last answer by one that is awaited from now on.

        Raises IndexError where nothing was asked yet.
        """
        last = self.exchanges[-1]
        return self.ask_instead(last, last.question, model, now)

    def retry(self, now: float) -> Exchange:
        """Ask the last question once more, as it was, after an attempt that reached nobody."""
        last = self.exchanges.pop()
        old = last.answer
        again = Answer(
            old.model,
            now,
            attempt=old.attempt + 1,
            before=old.before,
            thinking_before=old.thinking_before,
            tokens_before=old.tokens_before,
        )
        return self._add(Exchange(last.question, again))

    def go_on(self, model: str, now: float) -> Exchange:
        """Let the last answer, which was cut, grow further; its text stays.

        Raises IndexError where nothing was asked yet.
        """
        last = self.exchanges.pop()
        old = last.answer
        grown = Answer(
            model,
            now,
            before=old.text,
            thinking_before=old.thinking,
            thinking_seconds=old.thinking_seconds,
            tokens_before=old.tokens,
        )
        return self._add(Exchange(last.question, grown))

    def body(self, *, think: bool = False) -> ChatBody:
        """Return what to post for the last exchange; see `chat_history`.

        Raises IndexError where nothing was asked yet.
        """
        last = self.exchanges[-1]
        earlier = [(each.question, each.answer.text) for each in self.exchanges[:-1]]
        return body_for(
            last.answer.model,
            earlier,
            last.question,
            cut=last.answer.before,
            instructions=self.instructions,
            think=think,
        )

    def _add(self, exchange: Exchange) -> Exchange:
        self.changes += 1
        self.exchanges.append(exchange)
        del self.exchanges[:-MAX_EXCHANGES]
        return exchange
