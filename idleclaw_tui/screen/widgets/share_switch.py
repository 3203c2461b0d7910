"""The one large switch of the Contribute tab."""

from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from idleclaw_tui.sharing.desk import SwitchState

_WORDS: Final[dict[SwitchState, tuple[str, str]]] = {
    "off": ("NOT SHARING", "space starts"),
    "starting": ("STARTING", "space stops"),
    "waiting": ("WAITING", "space stops"),
    "on": ("SHARING", "space stops"),
    "paused": ("PAUSED", "space stops"),
    "held": ("PAUSED", "p goes on"),
    "stopping": ("STOPPING", "x stops at once"),
    "fixed": ("SHARING", "ends with this program"),
}


class ShareSwitch(Static, can_focus=True):
    """Shows whether this machine is shared; space or a click changes that."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    ShareSwitch {
        width: 27;
        height: 4;
        content-align: center middle;
        text-align: center;
        border: round $border-blurred;
        pointer: pointer;
        &:focus { border: round $border; text-style: bold; }
        &.-on, &.-fixed { border: round $success; color: $success; }
        &.-starting, &.-waiting, &.-paused, &.-held, &.-stopping {
            border: round $warning;
            color: $warning;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "flip",
            "start or stop",
            id="switch.flip",
            show=False,
            tooltip="Start or stop sharing",
        )
    ]
    HELP = (
        "Shares this machine's Ollama with the network, or stops. **Space** stops after the "
        "running requests have ended, **X** stops at once, **P** pauses without leaving. Your own "
        "use of the machine always comes first: the guards say why it serves or not. **M** ticks "
        "models, **L** sets limits, **S** measures the speed before sharing, **T** tries the "
        "router again at once, **E** and **R** show the last events and the relayed requests."
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
        between = "  " if self.is_short else "\n"
        self.update(Content.assemble((title, "bold"), between, (hint, "$text-muted")))

    @property
    def is_short(self) -> bool:
        """Whether title and hint have to share a line."""
        return self.size.height == 1

    def on_resize(self) -> None:
        """Use the lines there are."""
        self.watch_state(self.state)
