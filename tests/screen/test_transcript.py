"""The state of a conversation: what came, how it ended, what goes to the router next."""

from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol import limits
from idleclaw_protocol.chat import Timings, Usage
from idleclaw_tui.answer import MAX_ANSWER_CHARS, MAX_THINKING_CHARS, Answer
from idleclaw_tui.chat_updates import Finished, TextPiece, ThinkingPiece, ToolProgress, Waiting
from idleclaw_tui.transcript import MAX_EXCHANGES, Transcript


def answered(transcript: Transcript, question: str, answer: str) -> None:
    """Add an exchange that ended well."""
    running = transcript.ask(question, "tiny:1b", 0.0).answer
    if answer:
        running.apply(TextPiece(answer), 1.0)
    running.apply(Finished("stop"), 2.0)


def test_an_answer_from_the_question_to_its_end() -> None:
    transcript = Transcript()
    answer = transcript.ask("Why?", "tiny:1b", 10.0).answer
    assert transcript.running is answer

    answer.apply(Waiting("queued", 2, 6.0), 10.5)
    answer.apply(ThinkingPiece("Hm"), 11.0)
    answer.apply(ThinkingPiece("m."), 12.0)
    answer.apply(TextPiece("Be"), 13.0)
    answer.apply(TextPiece("cause."), 14.0)
    usage = Usage(completion_tokens=9)
    answer.apply(Finished("stop", usage, Timings(first_token=0.9)), 15.0)

    assert (answer.text, answer.thinking) == ("Because.", "Hmm.")
    assert answer.thinking_seconds == 2.0
    assert (answer.outcome, answer.ended_at, answer.tokens) == ("complete", 15.0, 9)
    assert transcript.running is None


def test_nothing_changes_an_answer_after_its_end() -> None:
    answer = Answer("tiny:1b", 0.0)
    answer.apply(TextPiece("kept"), 1.0)
    answer.end("stopped", 2.0)
    answer.apply(TextPiece(" late"), 3.0)
    answer.apply(Finished("error", error="late"), 3.0)
    answer.end("failed", 4.0, "late")
    assert (answer.text, answer.outcome, answer.error) == ("kept", "stopped", None)


def test_an_error_at_the_end_keeps_the_text_and_the_reason() -> None:
    answer = Answer("tiny:1b", 0.0)
    answer.apply(TextPiece("half"), 1.0)
    answer.apply(Finished("error", error="The node left."), 2.0)
    assert (answer.text, answer.outcome, answer.error) == ("half", "failed", "The node left.")


def test_a_router_that_gives_no_reason_ends_an_answer_well() -> None:
    answer = Answer("tiny:1b", 0.0)
    answer.apply(Finished(None), 2.0)
    assert answer.outcome == "complete"


def test_a_tool_shows_only_while_it_runs() -> None:
    answer = Answer("tiny:1b", 0.0)
    answer.apply(ToolProgress("web_search", "executing"), 1.0)
    assert answer.tool is not None
    answer.apply(ToolProgress("web_search", "done"), 2.0)
    assert answer.tool is None


def test_text_and_thinking_are_bounded() -> None:
    answer = Answer("tiny:1b", 0.0)
    for _ in range(3):
        answer.apply(TextPiece("x" * MAX_ANSWER_CHARS), 1.0)
        answer.apply(ThinkingPiece("y" * MAX_THINKING_CHARS), 1.0)
    assert len(answer.text) == MAX_ANSWER_CHARS
    assert len(answer.thinking) == MAX_THINKING_CHARS
    assert answer.full


def test_the_history_goes_along_in_order() -> None:
    transcript = Transcript()
    answered(transcript, "one", "1")
    answered(transcript, "two", "2")
    transcript.ask("three", "tiny:1b", 3.0)
    body = transcript.body(think=True)
    assert [(m.role, m.content) for m in body.messages] == [
        ("user", "one"),
        ("assistant", "1"),
        ("user", "two"),
        ("assistant", "2"),
        ("user", "three"),
    ]
    assert (body.model, body.think) == ("tiny:1b", True)


def test_questions_without_an_answer_do_not_go_along() -> None:
    transcript = Transcript()
    answered(transcript, "refused", "")
    answered(transcript, "blank", " \n")
    transcript.ask("three", "tiny:1b", 3.0)
    assert [m.content for m in transcript.body().messages] == ["three"]


def test_a_stopped_answer_goes_along() -> None:
    transcript = Transcript()
    transcript.ask("one", "tiny:1b", 0.0).answer.apply(TextPiece("half"), 1.0)
    transcript.exchanges[-1].answer.end("stopped", 1.0)
    transcript.ask("two", "tiny:1b", 2.0)
    assert [m.content for m in transcript.body().messages] == ["one", "half", "two"]


def test_asking_again_replaces_the_last_answer_only() -> None:
    transcript = Transcript()
    answered(transcript, "one", "1")
    answered(transcript, "two", "2")
    exchange = transcript.ask_again("other:3b", 9.0)
    assert [e.question for e in transcript.exchanges] == ["one", "two"]
    assert (exchange.answer.model, exchange.answer.text) == ("other:3b", "")
    assert [m.content for m in transcript.body().messages] == ["one", "1", "two"]


@given(
    st.lists(
        st.tuples(st.integers(1, limits.MAX_MESSAGE_CHARS), st.integers(0, 30_000)), max_size=40
    ),
    st.integers(1, limits.MAX_MESSAGE_CHARS),
)
def test_what_is_posted_is_always_within_the_routers_limits(
    sizes: list[tuple[int, int]], last: int
) -> None:
    transcript = Transcript()
    for question, answer in sizes:
        answered(transcript, "q" * question, "a" * answer)
    transcript.ask("l" * last, "tiny:1b", 0.0)
    body = transcript.body()
    assert len(body.messages) <= limits.MAX_MESSAGES
    assert body.total_chars <= limits.MAX_TOTAL_CHARS
    assert body.messages[-1].content == "l" * last
    roles = [message.role for message in body.messages]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]


def test_the_oldest_exchange_is_forgotten_first() -> None:
    transcript = Transcript()
    for number in range(MAX_EXCHANGES + 1):
        answered(transcript, str(number), "x")
    assert len(transcript.exchanges) == MAX_EXCHANGES
    assert transcript.exchanges[0].question == "1"
