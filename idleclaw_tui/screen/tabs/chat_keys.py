"""The keys of the Chat tab, and which of them do anything now."""

from typing import Final

from textual.binding import Binding, BindingType

from idleclaw_tui.chat.chats import Chat
from idleclaw_tui.network.view import Picture

CHAT_BINDINGS: Final[list[BindingType]] = [
    Binding("escape", "stop", "stop", id="chat.stop", tooltip="Stop the answer"),
    Binding("escape", "back", "back", id="chat.back", tooltip="Leave editing or the selection"),
    Binding("ctrl+g", "go_on", "continue", id="chat.continue", tooltip="Continue a cut answer"),
    Binding("ctrl+t", "model", "model", id="chat.model", tooltip="Choose the model"),
    Binding("ctrl+r", "again", "again", id="chat.again", tooltip="Ask the question again"),
    Binding("ctrl+e", "edit", "Edit the question", id="chat.edit", show=False),
    Binding("ctrl+y", "copy", "copy", id="chat.copy", tooltip="Copy the answer"),
    Binding("ctrl+b", "code", "Copy a block of code", id="chat.code", show=False),
    Binding("ctrl+n", "new", "Open a new chat", id="chat.new", show=False),
    Binding("f6", "next(1)", "Go to the next chat", id="chat.next", show=False),
    Binding("f5", "next(-1)", "Go to the previous chat", id="chat.previous", show=False),
    Binding("f8", "close", "Close this chat", id="chat.close", show=False),
    Binding("ctrl+f", "search", "Search the open chats", id="chat.search", show=False),
    Binding("ctrl+s", "export", "Export this chat to a file", id="chat.export", show=False),
    Binding("ctrl+l", "open", "Open a chat from a file", id="chat.open", show=False),
    Binding("ctrl+o", "think", "Switch thinking on or off", id="chat.think", show=False),
    Binding("f9", "instruct", "Instructions for this chat", id="chat.instruct", show=False),
    Binding("alt+up", "select(-1)", "Select the question before", id="chat.select_up", show=False),
    Binding("alt+down", "select(1)", "Select the one after", id="chat.select_down", show=False),
    Binding("ctrl+up", "more(True)", "Load earlier questions", id="chat.earlier", show=False),
    Binding("ctrl+down", "more(False)", "Load later questions", id="chat.later", show=False),
    Binding("pageup", "page(-1)", "Scroll up", id="chat.up", show=False),
    Binding("pagedown", "page(1)", "Scroll down", id="chat.down", show=False),
]


def allowed(action: str, chat: Chat, open_chats: int, picture: Picture | None) -> bool:
    """Return whether an action would do anything in `chat`, one of so many that are open."""
    last, subject = chat.transcript.last, chat.subject
    running = chat.transcript.running is not None
    failure = last.answer.failure if last else None
    match action:
        case "stop":
            return running or (failure is not None and failure.repeats)
        case "back":
            return chat.editing is not None or chat.selected is not None
        case "again" | "edit":
            return subject is not None and not running
        case "go_on":
            return subject is last and last is not None and last.answer.can_go_on
        case "copy" | "code":
            return subject is not None and bool(subject.answer.text)
        case "new" | "export":
            return not chat.empty
        case "close":
            return open_chats > 1 or not chat.empty
        case "next":
            return open_chats > 1
        case "select":
            return not chat.empty
        case "think":
            return chat.selection.can_think(picture)
    return True
