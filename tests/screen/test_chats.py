"""The open chats as state: titles, order, what is unread, what is unsaved."""

import pytest
from rich.cells import cell_len

from idleclaw_tui.chat_titles import labels, line
from idleclaw_tui.chat_updates import Finished, TextPiece
from idleclaw_tui.chats import MAX_CHATS, MAX_TITLE_CHARS, Chat, Chats, first_words
from idleclaw_tui.transcript import Exchange, Transcript
from tests.screen.test_network_view import plain


def ask(chat: Chat, question: str) -> Exchange:
    """Ask in a chat."""
    return chat.transcript.ask(question, "tiny:1b", 0.0)


def answer(chat: Chat, text: str) -> None:
    """Answer the last question of a chat."""
    last = chat.transcript.last
    assert last is not None
    last.answer.apply(TextPiece(text), 1.0)
    last.answer.apply(Finished("stop"), 2.0)


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Why?", "Why?"),
        ("  How do\n\tlifetimes work in Rust?", "How do lifetimes work…"),
        ("x" * 100, "x" * (MAX_TITLE_CHARS - 1) + "…"),
        ("one " * 6, "one one one one one one"),
    ],
)
def test_a_title_is_the_first_words(question: str, title: str) -> None:
    assert first_words(question) == title
    assert len(title) <= MAX_TITLE_CHARS


def test_new_chats_have_the_model_of_the_one_before_and_their_own_choice() -> None:
    chats = Chats()
    chats.current.selection.choose("big:70b")
    first, second = chats.current, chats.new()
    assert second is not None
    assert second.selection.current == "big:70b"
    second.selection.choose("tiny:1b")
    assert first.selection.current == "big:70b"


def test_there_is_a_number_of_chats_that_is_not_passed() -> None:
    chats = Chats()
    while not chats.full:
        assert chats.new() is not None
    assert len(chats.open) == MAX_CHATS
    assert chats.new() is None
    chats.close(chats.current)
    assert chats.new() is not None


def test_closing_shows_the_neighbour_and_never_leaves_nothing() -> None:
    chats = Chats()
    first, second, third = chats.open[0], chats.new(), chats.new()
    assert second is not None
    assert third is not None
    chats.show(second)
    chats.close(second)
    assert chats.current is third
    chats.close(third)
    assert chats.current is first
    chats.close(first)
    assert chats.current.empty
    assert chats.current is not first
    assert chats.current.number == 4


def test_the_chats_follow_each_other_around_the_end() -> None:
    chats = Chats()
    first, second = chats.open[0], chats.new()
    assert chats.beside(1) is first
    assert chats.beside(-1) is first
    chats.show(first)
    assert chats.beside(-1) is second


def test_what_ended_while_another_chat_showed_is_unread() -> None:
    chats = Chats()
    first = chats.current
    ask(first, "one")
    chats.new()
    states = [first.state]
    answer(first, "1")
    states.append(first.state)
    chats.show(first)
    states.append(first.state)
    last = ask(first, "two")
    chats.new()
    last.answer.end("failed", 1.0, "No.")
    states.append(first.state)
    assert states == ["answering", "unread", "quiet", "failed"]


def test_a_chat_is_unsaved_until_it_is_exported_as_it_is() -> None:
    chats = Chats()
    chat = chats.current
    assert not chat.unsaved
    ask(chat, "one")
    answer(chat, "1")
    assert chats.unsaved == [chat]
    chat.mark_saved()
    assert not chat.unsaved
    exchange = ask(chat, "two")
    chat.mark_saved()
    exchange.answer.apply(TextPiece("more"), 1.0)
    assert chat.unsaved, "more came after the export"


def test_a_chat_from_a_file_is_saved_and_read() -> None:
    transcript = Transcript()
    transcript.ask("one", "tiny:1b", 0.0).answer.end("stopped", 0.0)
    chat = Chats().new(transcript)
    assert chat is not None
    assert (chat.unsaved, chat.state, chat.title) == (False, "quiet", "one")


def test_actions_are_about_the_selected_exchange_or_the_newest() -> None:
    chat = Chats().current
    assert chat.subject is None
    one, two = ask(chat, "one"), ask(chat, "two")
    assert chat.subject is two
    assert chat.select(-1) is two
    assert chat.select(-1) is one
    assert chat.select(-1) is one, "stays at the first"
    assert chat.subject is one
    assert chat.later_than(one) == 1
    chat.transcript.ask_instead(one, "ONE", "tiny:1b", 1.0)
    assert chat.subject is chat.transcript.last, "the selected one is gone"
    assert chat.select(1) is None


@pytest.mark.parametrize("width", [8, 20, 38, 74, 114])
def test_titles_are_cut_to_the_width(width: int) -> None:
    chats = Chats()
    ask(chats.current, "How do lifetimes work in Rust?")
    while len(chats.open) < 3:
        chat = chats.new()
        assert chat is not None
        ask(chat, "A dinner plan for two")
    shown = labels(chats.open, chats.current, width)
    drawn = plain(line(shown))
    assert len(drawn) <= max(width, 5 * 3 + 6)
    assert [drawn[label.start : label.end][0] for label in shown] == ["1", "2", "3"]


def test_titles_of_wide_characters_take_the_cells_that_they_have() -> None:
    chats = Chats()
    ask(chats.current, "日本語の質問です")
    chats.new()
    first, second = labels(chats.open, chats.current, 40)
    assert plain(first.parts) == "1 日本語の質問… ◐"
    assert cell_len(plain(first.parts)) == first.end
    assert second.start == first.end + 3


def test_the_line_of_titles_tells_what_goes_on() -> None:
    chats = Chats()
    ask(chats.current, "Rust lifetimes")
    chats.new()
    assert plain(line(labels(chats.open, chats.current, 80))) == "1 Rust lifetimes ◐   2 New chat"
    answer(chats.open[0], "x")
    assert plain(line(labels(chats.open, chats.current, 80))) == "1 Rust lifetimes ●   2 New chat"
