"""`idleclaw-tui contribute`: share the local Ollama until told to stop."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Final, TextIO

from pydantic_core import to_json

from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.headless import sharing_lines
from idleclaw_tui.interrupts import interrupts
from idleclaw_tui.node_events import (
    LinkChanged,
    ModelsChanged,
    NodeEvent,
    RequestChanged,
    StandingChanged,
)
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.sharing_control import Machine, SharingControl
from idleclaw_tui.sharing_news import SharingNews
from idleclaw_tui.sharing_settings import SharingSettings
from idleclaw_tui.standing_words import guard_states

_HOW_TO_LEAVE: Final = "Ctrl+C finishes what runs, then leaves; a second one leaves at once."


class Contribution:
    """What is told of a node's events, and what it comes to in the end.

    With `json_lines`, every event is one JSON object a line on `out`; else those that matter to
    people are lines on `err`, and `out` stays empty. A reader of `out` that left calls `on_hangup`.
    """

    def __init__(
        self,
        server: str,
        *,
        json_lines: bool,
        out: TextIO,
        err: TextIO,
        on_hangup: Callable[[], None],
    ) -> None:
        self._news = SharingNews(server)
        self._json_lines = json_lines
        self._out = out
        self._err = err
        self._on_hangup = on_hangup
        self._hung_up = False
        self._found_models = False
        self._was_connected = False
        self._told_guards = False
        self._served = 0
        self._answer_tokens = 0

    def note(self, event: NodeEvent) -> None:
        """Tell one event; of standings only what is not merely another figure."""
        is_first = not self._was_connected
        match event:
            case LinkChanged(state="connected"):
                self._was_connected = True
            case ModelsChanged(models):
                self._found_models = self._found_models or bool(models)
            case RequestChanged(state="done"):
                self._served += 1
                self._answer_tokens += event.answer_tokens
        now = time.time()
        is_figure = isinstance(event, StandingChanged) and not self._news.is_new(event.standing)
        said = self._news.of(event)
        if isinstance(event, StandingChanged) and not self._told_guards:
            self._told_guards = True
            said.insert(1, f"Guards: {guard_states(event.standing)}.")
        if is_first and self._was_connected:
            said.append(_HOW_TO_LEAVE)
        if not self._json_lines:
            for sentence in said:
                print_line(self._err, sharing_lines.stamped(sentence, now))
        elif not is_figure:
            self._write(sharing_lines.record(event, now))

    def end(self) -> ExitCode:
        """Tell the sum; the code says what stood in the way where it never came to sharing."""
        if self._json_lines:
            self._write(sharing_lines.session(self._served, self._answer_tokens, time.time()))
        if not self._was_connected:
            return ExitCode.UNREACHABLE if self._found_models else ExitCode.OLLAMA_UNREACHABLE
        if not self._json_lines:
            print_line(self._err, sharing_lines.farewell(self._served, self._answer_tokens))
        return ExitCode.OK

    def _write(self, record: Mapping[str, object]) -> None:
        if self._hung_up:
            return
        try:
            print_line(self._out, to_json(record).decode())
        except BrokenPipeError:
            self._hung_up = True
            self._on_hangup()


async def contribute(
    server: str,
    ollama_url: str,
    settings: SharingSettings,
    machine: Machine,
    *,
    json_lines: bool,
    measure: bool = True,
) -> ExitCode:
    """Share the Ollama at `ollama_url` with the router at `server`; both are base URLs.

    With `measure`, the speed of one model is told first. The first SIGINT or SIGTERM finishes what
    runs and leaves, the second one leaves at once.
    """
    interruptions = 0

    def interrupted() -> None:
        nonlocal interruptions
        interruptions += 1
        if interruptions == 1:
            control.stop()
        else:
            control.stop_now()

    def hung_up() -> None:
        control.stop()

    contribution = Contribution(
        server, json_lines=json_lines, out=sys.stdout, err=sys.stderr, on_hangup=hung_up
    )
    async with OllamaBridge(ollama_url) as bridge:
        control = SharingControl(
            server, bridge, settings, machine, on_event=contribution.note, measure=measure
        )
        with interrupts(interrupted):
            await control.run()
    code = contribution.end()
    return ExitCode.INTERRUPTED if interruptions > 1 else code


def print_line(stream: TextIO, line: str) -> None:
    """Write one line, seen at once."""
    stream.write(line + "\n")
    stream.flush()
