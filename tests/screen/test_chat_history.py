"""What goes to the router with a question: instructions, history, and what is to be continued."""

from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol import limits
from idleclaw_protocol.chat import ChatBody
from idleclaw_tui.answer import joint
from idleclaw_tui.chat_history import (
    GO_ON,
    MAX_INSTRUCTIONS_CHARS,
    MESSAGES_WITH_INSTRUCTIONS,
    body_for,
)
from idleclaw_tui.chat_updates import Finished, TextPiece, ThinkingPiece
from idleclaw_tui.errors import RouterUnreachable
from idleclaw_tui.transcript import Exchange, Transcript

TEXT = st.text("ab ", min_size=1, max_size=limits.MAX_MESSAGE_CHARS).filter(str.strip)


def said(body: ChatBody) -> list[tuple[str, str]]:
    """Return the messages in short."""
    return [(message.role[0], message.content) for message in body.messages]


def asked(transcript: Transcript, question: str, answer: str, reason: str = "stop") -> Exchange:
    """Add an exchange that ended."""
    exchange = transcript.ask(question, "tiny:1b", 0.0)
    exchange.answer.apply(TextPiece(answer), 1.0)
    if reason == "stop":
        exchange.answer.apply(Finished("stop"), 2.0)
    else:
        exchange.answer.end("stopped", 2.0)
    return exchange


def test_an_edited_question_replaces_itself_and_what_came_after() -> None:
    transcript = Transcript()
    asked(transcript, "one", "1")
    second = asked(transcript, "two", "2")
    asked(transcript, "three", "3")
    transcript.ask_instead(second, "TWO", "tiny:1b", 3.0)
    assert said(transcript.body()) == [("u", "one"), ("a", "1"), ("u", "TWO")]


def test_a_cut_answer_grows_by_what_the_model_goes_on_with() -> None:
    transcript = Transcript()
    asked(transcript, "one", "1")
    cut = asked(transcript, "Tell", "Once upon", "stopped")
    cut.answer.apply(ThinkingPiece("late"), 2.0)
    exchange = transcript.go_on("other:3b", 3.0)
    assert said(transcript.body()) == [
        ("u", "one"),
        ("a", "1"),
        ("u", "Tell"),
        ("a", "Once upon"),
        ("u", GO_ON),
    ]
    assert not exchange.answer.ended
    exchange.answer.apply(TextPiece("a time"), 4.0)
    exchange.answer.apply(TextPiece("."), 5.0)
    exchange.answer.apply(Finished("stop"), 6.0)
    assert exchange.answer.text == "Once upon a time."
    assert (exchange.answer.tokens, len(transcript.exchanges)) == (3, 2)
    transcript.ask("And?", "tiny:1b", 7.0)
    assert said(transcript.body())[-2:] == [("a", "Once upon a time."), ("u", "And?")]


def test_words_are_not_glued_where_an_answer_was_cut() -> None:
    assert joint("Once upon", "a time") == " "
    assert joint("Once upon ", "a time") == ""
    assert joint("Once upon", ", a time") == ""
    assert joint("昔々", "ある") == ""


def test_a_retry_asks_for_the_same_again() -> None:
    transcript = Transcript()
    asked(transcript, "Tell", "Once upon", "stopped")
    transcript.go_on("tiny:1b", 3.0).answer.fail(RouterUnreachable("r", "refused"), 4.0)
    again = transcript.retry(9.0).answer
    assert (again.attempt, again.text, again.model) == (1, "Once upon", "tiny:1b")
    assert said(transcript.body())[-1] == ("u", GO_ON)


def test_instructions_are_the_users_first_words() -> None:
    transcript = Transcript()
    transcript.instructions = "Be brief."
    asked(transcript, "one", "1")
    transcript.ask("two", "tiny:1b", 3.0)
    assert said(transcript.body()) == [
        ("u", "Be brief."),
        ("u", "one"),
        ("a", "1"),
        ("u", "two"),
    ]


def test_instructions_do_not_fall_off_where_routers_pass_on_the_newest_messages() -> None:
    transcript = Transcript()
    transcript.instructions = "Be brief."
    for number in range(40):
        asked(transcript, f"q{number}", f"a{number}")
    transcript.ask("last", "tiny:1b", 3.0)
    messages = said(transcript.body())
    assert len(messages) <= MESSAGES_WITH_INSTRUCTIONS
    assert (messages[0], messages[1], messages[-1]) == (
        ("u", "Be brief."),
        ("u", "q31"),
        ("u", "last"),
    )


@given(
    st.lists(st.tuples(TEXT, st.integers(0, 30_000)), max_size=30),
    TEXT,
    st.integers(0, 30_000),
    st.integers(0, MAX_INSTRUCTIONS_CHARS),
)
def test_the_body_is_always_one_that_a_router_takes(
    earlier: list[tuple[str, int]], question: str, cut: int, instructions: int
) -> None:
    body = body_for(
        "tiny:1b",
        [(asked, "a" * length) for asked, length in earlier],
        question,
        cut="c" * cut,
        instructions="i" * instructions,
    )
    assert len(body.messages) <= limits.MAX_MESSAGES
    assert body.total_chars <= limits.MAX_TOTAL_CHARS
    assert body.messages[-1].content == (GO_ON if cut else question)
    assert body.messages[0].content.startswith("i" * instructions)
