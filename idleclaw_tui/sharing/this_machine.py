"""The machine that this program runs on, for a control to stand on."""

from idleclaw_tui.owner.signals.catalogue import MachineSignals, is_desktop
from idleclaw_tui.sharing.control import Machine
from idleclaw_tui.sharing.day_count import count_path


def this_machine(ollama_url: str) -> Machine:
    """Return this machine, whose Ollama is at `ollama_url`; its signals serve one block only."""
    return Machine(MachineSignals(ollama_url), is_desktop, count_path())
