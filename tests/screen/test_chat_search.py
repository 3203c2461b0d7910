"""Searching the open chats."""

from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.chat import search as chat_search
from idleclaw_tui.chat.chats import Chat
from idleclaw_tui.chat.search import MAX_HITS, search
from idleclaw_tui.router.chat_updates import TextPiece


def chat(number: int, *turns: tuple[str, str]) -> Chat:
    """Return a chat with these questions and answers."""
    made = Chat(number)
    for question, answer in turns:
        running = made.transcript.ask(question, "tiny:1b", 0.0).answer
        running.apply(TextPiece(answer), 1.0)
        running.end("stopped", 1.0)
    return made


def test_all_words_must_occur_in_question_or_answer() -> None:
    rust = chat(1, ("How do lifetimes work?", "A LIFETIME is a span."), ("And structs?", "So."))
    dinner = chat(2, ("Plan a dinner", "Pasta lasts a lifetime."))
    hits = search([rust, dinner], "lifetime").hits
    assert [(hit.chat.number, hit.by_model) for hit in hits] == [(1, False), (2, True)]
    assert [hit.snippet[hit.start : hit.end] for hit in hits] == ["lifetime", "lifetime"]
    assert [hit.chat.number for hit in search([rust, dinner], "lifetime span").hits] == [1]
    assert search([rust, dinner], "nowhere").hits == ()
    assert search([rust, dinner], "  ").hits == ()


def test_the_newest_of_a_chat_comes_first() -> None:
    both = chat(1, ("old needle", ""), ("new needle", ""))
    assert [hit.exchange.question for hit in search([both], "needle").hits] == [
        "new needle",
        "old needle",
    ]


def test_a_snippet_shows_what_surrounds_the_word_on_one_line() -> None:
    (hit,) = search([chat(1, ("x" * 50 + "\nneedle\t" + "y" * 500, ""))], "NEEDLE").hits
    assert hit.snippet.startswith("…xxx")
    assert hit.snippet[hit.start : hit.end] == "needle"
    assert "\n" not in hit.snippet
    assert "\t" not in hit.snippet
    assert len(hit.snippet) < 200


def test_a_search_is_bounded() -> None:
    many = chat(1, *[("needle", "")] * (MAX_HITS + 1))
    found = search([many], "needle")
    assert (len(found.hits), found.complete) == (MAX_HITS, False)


def test_what_is_not_looked_through_is_said() -> None:
    long = "x" * 200_000
    turns = [("q", long)] * (chat_search.MAX_SEARCHED_CHARS // len(long) + 1)
    assert not search([chat(1, ("needle", ""), *turns)], "needle").complete


@given(st.text(max_size=300), st.text(min_size=1, max_size=5))
def test_the_marked_word_is_what_was_typed(text: str, typed: str) -> None:
    for hit in search([chat(1, (text, ""))], typed).hits:
        assert 0 <= hit.start <= hit.end <= len(hit.snippet)
