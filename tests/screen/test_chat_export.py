"""A chat as a file, and back: what is written, what is refused, what is never overwritten."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json as json_value

from idleclaw_protocol.chat import Timings, Usage
from idleclaw_tui.chat_export import (
    MAX_FILE_BYTES,
    NotAChat,
    as_json,
    as_markdown,
    file_name,
    from_json,
    kind_of,
)
from idleclaw_tui.chat_files import (
    FileExists,
    FileProblem,
    export_kind,
    named,
    read_file,
    unused,
    write_file,
)
from idleclaw_tui.chat_updates import Finished, TextPiece, ThinkingPiece
from idleclaw_tui.chats import Chat
from tests.screen.test_chats import answer, ask

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=40)


@pytest.fixture
def chat() -> Chat:
    """A chat with an answer that ended well and one that was cut in the middle of code."""
    made = Chat(1)
    made.transcript.instructions = "Be brief."
    first = ask(made, "How do lifetimes work?").answer
    first.apply(ThinkingPiece("Let me see."), 1.0)
    first.apply(TextPiece("They **end**."), 2.5)
    usage = Usage(prompt_tokens=20, completion_tokens=412, total_tokens=432)
    first.apply(Finished("stop", usage, timings()), 3.0)
    second = ask(made, "Show me").answer
    second.apply(TextPiece("```rust\nfn main() {"), 4.0)
    second.apply(Finished("error", error="The node left."), 5.0)
    return made


def timings() -> Timings:
    """Return timings as a router tells them."""
    return Timings(queued=0.4, first_token=0.9, total=12.0, tokens_per_second=38.2)


def test_markdown_holds_everything_that_a_reader_wants(chat: Chat) -> None:
    written = as_markdown(chat).decode()
    assert written == (
        "# How do lifetimes work?\n\n"
        "Instructions:\n\n> Be brief.\n\n"
        "## You\n\nHow do lifetimes work?\n\n"
        "## tiny:1b\n\n"
        "> Thought for 1.5 s\n>\n> Let me see.\n\n"
        "They **end**.\n\n"
        "*tiny:1b · 412 tokens · 38 tok/s · first token 0.9 s · queued 0.4 s · in all 12 s*\n\n"
        "## You\n\nShow me\n\n"
        "## tiny:1b\n\n"
        "```rust\nfn main() {\n```\n\n"
        "*tiny:1b · 1 token · first token 4.0 s · in all 5.0 s · The node left.*\n"
    )


def test_json_holds_models_timings_and_usage(chat: Chat) -> None:
    written = json_value(as_json(chat))
    assert (written["format"], written["version"]) == ("idleclaw-chat", 1)
    first = written["exchanges"][0]["answer"]
    assert first["model"] == "tiny:1b"
    assert first["usage"] == {"prompt_tokens": 20, "completion_tokens": 412, "total_tokens": 432}
    assert first["timings"]["tokens_per_second"] == 38.2
    assert written["exchanges"][1]["answer"]["error"] == "The node left."


def test_what_was_exported_can_be_opened_and_continued(chat: Chat) -> None:
    again = Chat(2, from_json(as_json(chat)))
    assert as_markdown(again) == as_markdown(chat)
    assert as_json(again) == as_json(chat)
    last = again.transcript.exchanges[-1].answer
    assert last.can_go_on
    again.transcript.ask("And now?", "tiny:1b", 9.0)
    assert len(again.transcript.body().messages) == 6


@given(st.lists(st.tuples(TEXTS.filter(str.strip), TEXTS), max_size=5), TEXTS)
def test_any_chat_survives_the_way_through_a_file(
    turns: list[tuple[str, str]], instructions: str
) -> None:
    chat = Chat(1)
    chat.transcript.instructions = instructions
    for question, said in turns:
        ask(chat, question)
        answer(chat, said)
    again = from_json(as_json(chat))
    assert [each.question for each in again.exchanges] == [question for question, _ in turns]
    assert [each.answer.text for each in again.exchanges] == [said for _, said in turns]
    assert again.instructions == instructions


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "Invalid JSON"),
        (b"[]", "an object"),
        (b'{"format": "other", "exchanges": []}', "format"),
        (b'{"version": 2, "exchanges": []}', "version"),
        (b"{}", "exchanges: Field required"),
        (b'{"exchanges": [{"question": "", "answer": {"model": "m"}}]}', "exchanges.0.question"),
        (b'{"exchanges": [{"question": "\\u200e", "answer": {"model": "m"}}]}', "is empty"),
        (b'{"exchanges": [{"question": "q", "answer": {"model": ""}}]}', "is empty"),
        (b"\xff\xfe", "Invalid JSON"),
    ],
)
def test_a_file_that_is_no_chat_is_refused_in_words(data: bytes, what: str) -> None:
    with pytest.raises(NotAChat) as refused:
        from_json(data)
    assert what in str(refused.value)
    assert "pydantic" not in str(refused.value)


def test_a_file_cannot_steer_the_terminal() -> None:
    data = (
        b'{"exchanges": [{"question": "a\\u001b]0;x\\u0007b", "answer": {"model": "m\\u001b[31m",'
        b' "text": "c\\u202ed", "outcome": "failed", "error": "e\\u001b[2J"}}]}'
    )
    (exchange,) = from_json(data).exchanges
    assert (exchange.question, exchange.answer.text) == ("ab", "cd")
    assert (exchange.answer.model, exchange.answer.error) == ("m", "e")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("How do lifetimes work…", "how-do-lifetimes-work.md"),
        ("../../etc/passwd", "etc-passwd.md"),
        ("…", "chat.md"),
        ("Grüße an 猫", "grüße-an-猫.md"),
    ],
)
def test_the_default_name_is_harmless(title: str, name: str) -> None:
    assert file_name(title) == name


def test_the_name_says_what_is_written() -> None:
    assert (kind_of("a.md"), kind_of("A.JSON"), kind_of("a.txt")) == ("markdown", "json", None)
    with pytest.raises(FileProblem, match="end the name in"):
        export_kind(Path("notes"))


def test_a_tilde_is_the_own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert named(" ~/a.md ") == tmp_path / "a.md"
    for wrong in ("", "  ", "a\0.md", "~nobody-of-that-name/a.md"):
        with pytest.raises(FileProblem):
            named(wrong)


def test_a_file_is_written_once_and_replaced_only_on_purpose(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    write_file(path, b"one")
    assert path.stat().st_mode & 0o077 == 0, "nobody else may read it"
    with pytest.raises(FileExists, match="already"):
        write_file(path, b"two")
    assert path.read_bytes() == b"one"
    write_file(path, b"two", replace=True)
    assert read_file(path) == b"two"


def test_what_the_system_refuses_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no such file or directory"):
        write_file(tmp_path / "none" / "a.md", b"x")
    with pytest.raises(FileProblem, match="folder"):
        write_file(tmp_path, b"x")
    with pytest.raises(FileProblem, match="no such file or directory"):
        read_file(tmp_path / "none.json")
    with pytest.raises(FileProblem, match="that is no file"):
        read_file(tmp_path)
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(FileProblem, match="that is no file"):
        read_file(tmp_path / "pipe.json")


def test_reading_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES * 2)
    data = read_file(path)
    assert len(data) == MAX_FILE_BYTES + 1
    with pytest.raises(NotAChat, match="larger than"):
        from_json(data)


def test_a_name_that_is_taken_gets_a_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert unused("a.md") == "a.md"
    for name in ("a.md", "a-2.md"):
        (tmp_path / name).touch()
    assert unused("a.md") == "a-3.md"
