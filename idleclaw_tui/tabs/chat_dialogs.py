"""What the Chat tab asks before it writes, reads or forgets something."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from textual.widget import Widget

from idleclaw_tui import words
from idleclaw_tui.chat_export import as_json, as_markdown, file_name, from_json
from idleclaw_tui.chat_files import FileExists, export_kind, named, read_file, unused, write_file
from idleclaw_tui.chats import Chat
from idleclaw_tui.code_blocks import CodeBlock, code_blocks
from idleclaw_tui.errors import UsageError
from idleclaw_tui.transcript import Transcript
from idleclaw_tui.widgets.choice import Choice, Way
from idleclaw_tui.widgets.file_dialog import FileDialog
from idleclaw_tui.widgets.safe_text import toast

_SHOWN_CODE = 9


def ask_where_to_export(widget: Widget, chat: Chat) -> None:
    """Write the chat where the person says; it then counts as saved."""

    async def write(typed: str, again: bool) -> None:
        path = named(typed)
        export = {"markdown": as_markdown, "json": as_json}[export_kind(path)]
        try:
            await asyncio.to_thread(write_file, path, export(chat), replace=again)
        except FileExists:
            raise UsageError(f"{path} is there already. Enter again replaces it.") from None
        chat.mark_saved()

    def written(name: str | None) -> None:
        if name is not None:
            toast(widget, f"Written to {named(name)}.")

    detail = "Markdown where the name ends in .md; JSON, which can be opened again, in .json."
    title = "Export this chat to a file"
    name = unused(file_name(chat.title))
    widget.app.push_screen(FileDialog(title, detail, name, write), written)


def ask_what_to_open(widget: Widget, opened: Callable[[Transcript], Awaitable[None]]) -> None:
    """Read an exported chat from where the person says."""
    found: list[Transcript] = []

    async def read(typed: str, again: bool) -> None:
        data = await asyncio.to_thread(read_file, named(typed))
        found[:] = [await asyncio.to_thread(from_json, data)]

    async def read_it(name: str | None) -> None:
        if name is not None:
            await opened(found[0])

    detail = "A chat that was exported as JSON."
    widget.app.push_screen(FileDialog("Open a chat from a file", detail, "", read), read_it)


def ask_before_closing(widget: Widget, chat: Chat, close: Callable[[], Awaitable[None]]) -> None:
    """Close the chat at once where nothing would be lost, else after asking."""

    async def decided(way: str | None) -> None:
        if way == "enter":
            await close()
        elif way == "s":
            ask_where_to_export(widget, chat)

    if not chat.unsaved:
        widget.call_later(close)
        return
    detail = f"“{chat.title}” is kept nowhere: its questions and answers will be gone."
    ways = [Way("enter", "Close it"), Way("s", "Export it first")]
    widget.app.push_screen(Choice("Close this chat", detail, ways), decided)


class LeaveQuestion(Choice):
    """Asks once before the program forgets chats."""

    def __init__(self, unsaved: Sequence[Chat]) -> None:
        title = unsaved[0].title
        if len(unsaved) == 1:
            detail = f"“{title}” is kept nowhere: its questions and answers will be gone."
            export = "Export it first"
        else:
            count = words.count(len(unsaved), "chat")
            detail = f"{count} are kept nowhere: their questions and answers will be gone."
            export = f"Export “{title}” first"
        super().__init__("Leave IdleClaw", detail, [Way("enter", "Leave"), Way("s", export)])


def copy_code(widget: Widget, block: CodeBlock) -> None:
    """Copy a block of code, and say so."""
    widget.app.copy_to_clipboard(block.text)
    toast(widget, f"Copied code {block.number}: {words.count(len(block.text), 'character')}.")


def ask_which_code(widget: Widget, answer: str) -> bool:
    """Copy the answer's block of code, or the one that the person chooses among several.

    Nine can be chosen here; returns False where there is none.
    """
    blocks = code_blocks(answer)
    if len(blocks) == 1:
        copy_code(widget, blocks[0])
    elif blocks:
        ways = [Way(str(block.number), _said(block)) for block in blocks[:_SHOWN_CODE]]

        def decided(way: str | None) -> None:
            if way is not None:
                copy_code(widget, blocks[int(way) - 1])

        detail = "The numbers are those in the frames of the code."
        if len(blocks) > _SHOWN_CODE:
            detail = f"The first {_SHOWN_CODE} of {len(blocks)} blocks."
        widget.app.push_screen(Choice("Copy code", detail, ways), decided)
    return bool(blocks)


def _said(block: CodeBlock) -> str:
    lines = block.text.splitlines()
    first = next((line.strip() for line in lines if line.strip()), "empty")
    return f"{words.joined(block.language, words.count(len(lines), 'line'))}  {first[:60]}"
