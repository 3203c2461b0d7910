"""`idleclaw-tui contribute`: share the local Ollama until told to stop."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from pydantic_core import to_json

from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.headless import sharing_lines
from idleclaw_tui.interrupts import interrupts
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.sharing import (
    LinkChanged,
    ModelsChanged,
    NodeEvent,
    RequestChanged,
    StandingChanged,
)
from idleclaw_tui.sharing_control import SharingControl
from idleclaw_tui.sharing_policy import Standing
from idleclaw_tui.sharing_settings import SharingSettings
from idleclaw_tui.signals.catalogue import MachineSignals, is_desktop
from idleclaw_tui.signals.sampler import SignalSource
from idleclaw_tui.standing_words import mode_line


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
        self._server = server
        self._json_lines = json_lines
        self._out = out
        self._err = err
        self._on_hangup = on_hangup
        self._hung_up = False
        self._found_models = False
        self._was_connected = False
        self._served = 0
        self._answer_tokens = 0
        self._standing: Standing | None = None

    def note(self, event: NodeEvent) -> None:
        """Tell one event."""
        match event:
            case LinkChanged(state="connected"):
                self._was_connected = True
            case ModelsChanged(models):
                self._found_models = self._found_models or bool(models)
            case RequestChanged(state="done"):
                self._served += 1
                self._answer_tokens += event.answer_tokens
            case StandingChanged(standing):
                self._note_standing(standing)
                return
        self._tell(event)

    def end(self) -> ExitCode:
        """Tell the sum; the code says what stood in the way where it never came to sharing."""
        if not self._was_connected:
            return ExitCode.UNREACHABLE if self._found_models else ExitCode.OLLAMA_UNREACHABLE
        if not self._json_lines:
            requests = "1 request" if self._served == 1 else f"{self._served:,} requests"
            tokens = f"{self._answer_tokens:,} tokens"
            print_line(self._err, f"Stopped after {requests} answered with {tokens}.")
        return ExitCode.OK

    def _note_standing(self, standing: Standing) -> None:
        """Tell of a standing what is not merely another figure."""
        before, self._standing = self._standing, standing
        if before is None and not self._json_lines:
            print_line(self._err, sharing_lines.stamped(mode_line(standing), time.time()))
            if standing.serves:
                return
        if before is None or (before.phase, before.reasons) != (standing.phase, standing.reasons):
            self._tell(StandingChanged(standing))

    def _tell(self, event: NodeEvent) -> None:
        now = time.time()
        if self._json_lines:
            self._write(to_json(sharing_lines.record(event, now)).decode())
            return
        line = sharing_lines.line(event, self._server, now)
        if line is not None:
            print_line(self._err, line)

    def _write(self, line: str) -> None:
        if self._hung_up:
            return
        try:
            print_line(self._out, line)
        except BrokenPipeError:
            self._hung_up = True
            self._on_hangup()


async def contribute(
    server: str,
    ollama_url: str,
    settings: SharingSettings,
    *,
    json_lines: bool,
    count_path: Path,
    signals: SignalSource | None = None,
) -> ExitCode:
    """Share the Ollama at `ollama_url` with the router at `server`; both are base URLs.

    `signals` are this machine's own unless others are given. The first SIGINT or SIGTERM finishes
    what runs and leaves, the second one leaves at once.
    """
    interruptions = 0

    def interrupted() -> None:
        nonlocal interruptions
        interruptions += 1
        if interruptions == 1:
            control.stop()
        else:
            control.stop_now()

    async with OllamaBridge(ollama_url) as bridge:
        contribution = Contribution(
            server,
            json_lines=json_lines,
            out=sys.stdout,
            err=sys.stderr,
            on_hangup=lambda: control.stop(),
        )
        control = SharingControl(
            server,
            bridge,
            settings,
            signals=signals or MachineSignals(ollama_url),
            is_desktop=is_desktop,
            count_path=count_path,
            on_event=contribution.note,
        )
        with interrupts(interrupted):
            await control.run()
    code = contribution.end()
    return ExitCode.INTERRUPTED if interruptions > 1 else code


def print_line(stream: TextIO, line: str) -> None:
    """Write one line, seen at once."""
    stream.write(line + "\n")
    stream.flush()
