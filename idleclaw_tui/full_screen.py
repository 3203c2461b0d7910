"""Starting the terminal UI over a real router and a real Ollama."""

import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from textual.binding import Binding
from textual.dom import DOMNode

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui.app import IdleClawApp
from idleclaw_tui.clock import Clock
from idleclaw_tui.errors import UsageError
from idleclaw_tui.garbage_pauses import shorten_pauses
from idleclaw_tui.keymap import load_keymap
from idleclaw_tui.node_events import NodeEvent, SpeedMeasured
from idleclaw_tui.node_feed import NodeFeed
from idleclaw_tui.ollama_bridge import MAX_MODELS_ASKED, OllamaBridge
from idleclaw_tui.peers import LocalSharing, OllamaFacts, Router
from idleclaw_tui.router_client import RouterClient
from idleclaw_tui.screen_settings import (
    load_screen_settings,
    save_screen_settings,
    screen_settings_path,
)
from idleclaw_tui.settings_file import SettingsFile, settings_path
from idleclaw_tui.sharing_control import SharingControl
from idleclaw_tui.sharing_settings import SharingSettings
from idleclaw_tui.signals.catalogue import MachineSignals
from idleclaw_tui.speed_check import measure_now
from idleclaw_tui.this_machine import this_machine


@asynccontextmanager
async def _opened(client: RouterClient, bridge: OllamaBridge) -> AsyncIterator[Router]:
    async with client, bridge:
        yield client


def binding_ids() -> set[str]:
    """Return the ids of all keys that a keymap may change."""
    found: set[str] = set()
    classes = [DOMNode]
    while classes:
        kind = classes.pop()
        classes += kind.__subclasses__()
        if kind.__module__.startswith("idleclaw_tui."):
            bindings = kind.__dict__.get("BINDINGS", ())
            found |= {each.id for each in bindings if isinstance(each, Binding) and each.id}
    return found


def run_app(
    server: str,
    ollama_url: str,
    *,
    label: str | None = None,
    own_node: NodeFeed | None = None,
    share: bool = False,
    mouse: bool = True,
) -> int:
    """Run the terminal UI until the person leaves; return the exit status of the process.

    `server` and `ollama_url` are base URLs. `label` is shown in place of the router's address.
    Where `own_node` is given, a node runs elsewhere and publishes its events there, from whichever
    thread; otherwise the Contribute tab makes one, with `share` at once. Raises `UsageError` for
    URLs that are none, for a keymap that is not understood, and where stderr, on which Textual
    draws, is no terminal.
    """
    _require_drawable()
    keymap, look_path = load_keymap(os.environ, binding_ids()), screen_settings_path()
    client, bridge = RouterClient(server), OllamaBridge(ollama_url)
    if own_node is not None:
        sharing = LocalSharing(own_node, ollama_url)
    else:
        sharing = _own_sharing(server, bridge, at_once=share)
    # A handler of last resort would write warnings over the screen.
    logging.getLogger().addHandler(logging.NullHandler())
    app = IdleClawApp(
        _opened(client, bridge),
        sharing,
        server,
        label=label,
        settings=load_screen_settings(look_path),
        remember=partial(save_screen_settings, look_path),
        keymap=keymap,
        ascii_only="utf" not in (sys.stdout.encoding or "").lower(),
    )
    _forget_exported_size()
    shorten_pauses()
    app.run(mouse=mouse)
    return app.return_code or 0


def _forget_exported_size() -> None:
    """Let the terminal tell its size: one that was exported, by `resize` say, never changes."""
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)


def _require_drawable() -> None:
    """Raise `UsageError` where Textual would draw into a pipe or a file."""
    if not sys.stderr.isatty():
        raise UsageError(
            "The terminal UI draws on stderr, which is no terminal. Do not redirect it."
        )


def _own_sharing(server: str, bridge: OllamaBridge, *, at_once: bool) -> LocalSharing:
    """Return how this machine is shared by a node of the Contribute tab's own."""
    file = SettingsFile(settings_path())

    async def look_at_ollama() -> OllamaFacts:
        version, models = await bridge.version(), await bridge.models(most=MAX_MODELS_ASKED)
        return OllamaFacts(version, models, {m.name: m.size for m in await bridge.loaded()})

    def make_node(
        settings: SharingSettings, on_event: Callable[[NodeEvent], None]
    ) -> SharingControl:
        machine = this_machine(bridge.url)
        return SharingControl(server, bridge, settings, machine, on_event=on_event, measure=True)

    async def measure(models: Sequence[OfferedModel], settings: SharingSettings) -> SpeedMeasured:
        return await measure_now(bridge, models, settings, MachineSignals(bridge.url), Clock())

    settings = file.load()
    return LocalSharing(
        NodeFeed(),
        bridge.url,
        make_node,
        look_at_ollama,
        at_once,
        settings,
        file.save,
        file.notice,
        measure,
    )
