"""The owner's choice among the models of the local Ollama, and what each costs in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui import words
from idleclaw_tui.ollama.offered_models import with_tag
from idleclaw_tui.owner.settings import SharingSettings, changed
from idleclaw_tui.words import Toned


@dataclass(frozen=True, slots=True)
class Choosable:
    """A model that can be shared, or that was chosen and is not there now.

    `size` is its file, `in_memory` what it takes there now (bytes); both are None where unknown.
    `kept_ready` models are loaded whenever sharing begins.
    """

    name: str
    ticked: bool
    kept_ready: bool = False
    kind: str = ""
    context_length: int | None = None
    size: int | None = None
    in_memory: int | None = None
    installed: bool = True

    @property
    def memory(self) -> str:
        """What it costs in memory, in words."""
        if not self.installed:
            return "not in Ollama now"
        if self.in_memory:
            return f"{words.size(self.in_memory)} loaded"
        return f"about {words.size(self.size)}" if self.size else "size unknown"


def choosable(
    models: Sequence[OfferedModel], loaded: Mapping[str, int], settings: SharingSettings
) -> list[Choosable]:
    """Return all models to choose from, those that are missing last."""
    ready = {with_tag(name) for name in settings.warm_up}
    rows = [
        Choosable(
            model.name,
            _is_chosen(model.name, settings),
            with_tag(model.name) in ready,
            " ".join(part for part in (model.parameter_size, model.quantization) if part),
            model.context_length,
            model.size or None,
            loaded.get(model.name),
        )
        for model in models
    ]
    installed = {with_tag(model.name) for model in models}
    missing = [name for name in settings.models or () if with_tag(name) not in installed]
    rows += [Choosable(name, True, with_tag(name) in ready, installed=False) for name in missing]
    return rows


def with_choice(settings: SharingSettings, rows: Sequence[Choosable], name: str) -> SharingSettings:
    """Return the settings with the other choice for the model `name`.

    Where all are chosen, those that come later are shared too.
    """
    ticked = [row.name for row in rows if row.ticked != (row.name == name)]
    if ticked == [row.name for row in rows if row.installed]:
        return changed(settings, models=None)
    return changed(settings, models=tuple(ticked))


def with_readiness(settings: SharingSettings, name: str) -> SharingSettings:
    """Return the settings with the model `name` kept ready, or no longer."""
    others = [kept for kept in settings.warm_up if with_tag(kept) != with_tag(name)]
    if len(others) == len(settings.warm_up):
        others.append(name)
    return changed(settings, warm_up=tuple(others))


def choice_lines(rows: Sequence[Choosable], *, boxes: bool = True) -> list[tuple[Toned, ...]]:
    """Return a line a model, in columns; without `boxes` for a choice that is made elsewhere."""
    width = min(max((len(row.name) for row in rows), default=0), 40)
    memory_width = max((len(row.memory) for row in rows), default=0)
    return [_line(row, width, memory_width, boxes) for row in rows]


def _line(row: Choosable, width: int, memory_width: int, boxes: bool) -> tuple[Toned, ...]:
    box = "[x] " if row.ticked else "[ ] "
    name = row.name if len(row.name) <= width else f"{row.name[: width - 1]}…"
    context = f"{words.context(row.context_length)} context" if row.context_length else None
    ready = "kept ready" if row.kept_ready else None
    return (
        Toned(box if boxes else f"{words.ACTIVE} ", "second" if row.ticked else "dim"),
        Toned(name.ljust(width), "plain" if row.ticked and row.installed else "dim"),
        Toned(f"  {row.memory.rjust(memory_width)}", "good" if row.in_memory else "dim"),
        Toned(f"  {words.joined(ready, row.kind, context)}", "dim"),
    )


def _is_chosen(name: str, settings: SharingSettings) -> bool:
    return settings.models is None or with_tag(name) in {with_tag(n) for n in settings.models}
