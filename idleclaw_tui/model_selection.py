"""Which model answers next: the one the person chose, else the one the network suggests."""

from idleclaw_protocol.near_names import nearest_names
from idleclaw_tui import words
from idleclaw_tui.network_view import ModelRow, Picture
from idleclaw_tui.words import Toned


class ModelSelection:
    """Holds on to a model once it was taken, so that it does not change under the person's hands.

    A model the network suggested is replaced when it goes offline; one the person chose is not.
    """

    def __init__(self) -> None:
        self.current: str | None = None
        self._chosen = False
        self._think = False

    def copy(self) -> "ModelSelection":
        """Return the same selection for another chat."""
        other = ModelSelection()
        other.current, other._chosen, other._think = self.current, self._chosen, self._think
        return other

    def choose(self, name: str) -> None:
        """Take the model the person chose."""
        self.current, self._chosen = name, True

    def update(self, picture: Picture) -> None:
        """Take the suggested model where none is chosen or the suggested one went offline."""
        if self._chosen or picture.model(self.current) is not None:
            return
        self.current = picture.suggested

    def toggle_thinking(self) -> None:
        """Ask models that can to think before they answer, or no longer."""
        self._think = not self._think

    def thinks(self, picture: Picture | None) -> bool:
        """Return whether the next answer is to begin with thinking."""
        return self._think and self.can_think(picture)

    def can_think(self, picture: Picture | None) -> bool:
        """Return whether the current model is known to think when asked to."""
        row = picture.model(self.current) if picture else None
        return row is not None and "thinking" in row.capabilities

    def line(self, picture: Picture | None) -> tuple[Toned, ...]:
        """Return the line that says which model answers next and who has it."""
        if self.current is None:
            said = "no model is online now" if picture else "looking for models"
            return (Toned(said, "dim"),)
        name = Toned(self.current, "accent")
        if picture is None:
            return (name,)
        row = picture.model(self.current)
        if row is None:
            return name, Toned(f"{words.SEPARATOR}{self._gone(picture)}", "warn")
        facts = words.joined(row.description, row.availability, self._thinking(picture))
        return name, Toned(f"{words.SEPARATOR}{facts}" if facts else "", "dim")

    def _thinking(self, picture: Picture) -> str | None:
        if not self.can_think(picture):
            return None
        return "thinking on" if self._think else "thinking off"

    def _gone(self, picture: Picture) -> str:
        near = nearest_names(self.current or "", (row.name for row in picture.models))
        instead = f"near it: {near[0]}" if near else "^t shows what is"
        return words.joined("not online now", instead)


def offer(picture: Picture | None, trouble: str | None) -> tuple[Toned, ...]:
    """Return what the network offers now, for somebody who has not asked anything yet."""
    if trouble:
        return Toned(f"{words.FAILED} ", "bad"), Toned(trouble, "bad")
    if picture is None:
        return (Toned("Looking at the network", "dim"),)
    if not picture.models:
        said = "No model is online now. Share your own: F4 opens Contribute."
        return Toned(f"{words.IDLE} ", "warn"), Toned(said, "plain")
    nodes = words.count(picture.node_count, "node")
    models = words.count(len(picture.models), "model")
    verb = "shares" if picture.node_count == 1 else "share"
    return (Toned(f"{nodes} {verb} {models} right now.{_soonest(picture)}", "dim"),)


def _soonest(picture: Picture) -> str:
    row: ModelRow | None = picture.model(picture.suggested)
    if row is None:
        return ""
    first = row.first_token_seconds
    soon = f", first token in about {words.duration(first)}" if first is not None else ""
    return f" Quickest: {row.name}{soon}."
