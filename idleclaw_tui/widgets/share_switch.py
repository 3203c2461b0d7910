"""The one large switch of the Contribute tab."""

from typing import ClassVar, Final, Literal

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

SwitchState = Literal["off", "starting", "waiting", "on", "stopping", "fixed"]

_WORDS: Final[dict[SwitchState, tuple[str, str]]] = {
    "off": ("NOT SHARING", "space starts"),
    "starting": ("STARTING", "space stops"),
    "waiting": ("WAITING", "space stops"),
    "on": ("SHARING", "space stops"),
    "stopping": ("STOPPING", "x stops at once"),
    "fixed": ("SHARING", "ends with this program"),
}


class ShareSwitch(Static, can_focus=True):
    """Shows whether this machine is shared; space or a click changes that."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "flip", "start or stop", id="switch.flip", show=False)
    ]
    HELP = (
        "Shares this machine's Ollama with the network, or stops. **Space** stops after the "
        "running requests have ended, **X** stops at once."
    )

    state: reactive[SwitchState] = reactive[SwitchState]("off")

    class Flipped(Message):
        """The person wants the other state."""

    def __init__(self) -> None:
        super().__init__(id="share-switch")

    def action_flip(self) -> None:
        """Ask for the other state."""
        self.post_message(self.Flipped())

    def on_click(self) -> None:
        """Ask for the other state."""
        self.action_flip()

    def watch_state(self, state: SwitchState) -> None:
        """Show the state."""
        title, hint = _WORDS[state]
        self.set_classes(f"-{state}")
        self.update(Content.assemble((title, "bold"), "\n", (hint, "$text-muted")))
