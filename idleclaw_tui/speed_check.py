"""How fast this machine answers: a short question to one of its own models, timed."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import aclosing
from typing import Final

from pydantic_core import to_json

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui.clock import Clock
from idleclaw_tui.guards import PauseReason, guards_for
from idleclaw_tui.machine_watch import MachineWatch
from idleclaw_tui.node_events import SpeedMeasured
from idleclaw_tui.ollama_bridge import OllamaBridge
from idleclaw_tui.ollama_failures import OllamaFailure
from idleclaw_tui.owner_use import BUSY_PERCENT
from idleclaw_tui.relay_guard import GuardedRequest
from idleclaw_tui.sharing_settings import SharingSettings
from idleclaw_tui.signals.sampler import SignalSource
from idleclaw_tui.standing_words import why
from idleclaw_tui.words import whole_seconds

TOKENS: Final = 48
SECONDS: Final = 60.0
"""How long it may take, loading the model included."""
LOOK_SECONDS: Final = 3.0
_QUESTION: Final = "Count from 1 to 40 in words."


def model_to_measure(
    offered: Sequence[OfferedModel], loaded: Collection[str]
) -> OfferedModel | None:
    """Return the largest model that is in memory already, else the smallest one."""
    ready = [model for model in offered if model.name in loaded]
    if ready:
        return max(ready, key=lambda model: model.size)
    return min(offered, key=lambda model: model.size, default=None)


async def measure_speed(
    bridge: OllamaBridge, model: OfferedModel, clock: Clock, seconds: float = SECONDS
) -> SpeedMeasured:
    """Ask `model` something that fills `TOKENS` tokens; it stays in memory as the owner has set.

    Cancelling closes the connection, which stops Ollama.
    """
    try:
        async with asyncio.timeout(seconds):
            speed = await _tokens_per_second(bridge, _request(model), clock)
    except OllamaFailure as failure:
        return SpeedMeasured(model.name, why_not=failure.message)
    except TimeoutError:
        late = f"{model.name} gave no short answer within {whole_seconds(seconds)}."
        return SpeedMeasured(model.name, why_not=late)
    if speed is None:
        return SpeedMeasured(model.name, why_not=f"{model.name} had nothing to say.")
    return SpeedMeasured(model.name, speed)


async def measure_now(
    bridge: OllamaBridge,
    offered: Sequence[OfferedModel],
    settings: SharingSettings,
    signals: SignalSource,
    clock: Clock,
) -> SpeedMeasured:
    """Measure before anything is shared, unless the machine is needed for something else.

    Whoever asks for it sits at the keyboard, so that alone is no reason to wait.
    """
    watch = MachineWatch(bridge, signals, clock)
    with signals:
        signals.watch_for(settings.exclusive_apps)
        await watch.first_look(LOOK_SECONDS)
        reason = _reason_to_wait(watch, settings, signals)
    if reason is not None:
        return SpeedMeasured(None, why_not=f"Not now: {why(reason)}.")
    model = model_to_measure(offered, watch.loaded)
    if model is None:
        return SpeedMeasured(None, why_not="There is no model to measure.")
    return await measure_speed(bridge, model, clock)


def _reason_to_wait(
    watch: MachineWatch, settings: SharingSettings, signals: SignalSource
) -> PauseReason | None:
    readings = watch.readings((), tokens_today=0, own_requests=0)
    for guard in guards_for(settings, "always"):
        if guard.level(readings) == "stop":
            return guard.reason
    seen = signals.latest()
    busy = seen is not None and (seen.ollama_cpu_percent or 0.0) >= BUSY_PERCENT
    card = settings.guards.gpu
    hot = card is not None and (readings.gpu_percent or 0.0) > card.stop
    if settings.guards.owner_pause_seconds is not None and (busy or hot):
        return "owner_inference"
    return None


def _request(model: OfferedModel) -> GuardedRequest:
    body: dict[str, object] = {
        "model": model.name,
        "messages": [{"role": "user", "content": _QUESTION}],
        "stream": True,
        "options": {"num_predict": TOKENS, "temperature": 0},
    }
    if model.capabilities and "thinking" in model.capabilities:
        body["think"] = False
    return GuardedRequest(model.name, to_json(body))


async def _tokens_per_second(
    bridge: OllamaBridge, request: GuardedRequest, clock: Clock
) -> float | None:
    """Return Ollama's own figure where it gives one, else the one seen from here."""
    pieces, began = 0, clock.monotonic()
    async with aclosing(bridge.chat(request)) as chunks:
        async for chunk in chunks:
            if chunk.done:
                if chunk.eval_count and chunk.eval_duration:
                    return chunk.eval_count / chunk.eval_duration * 1e9
                break
            if not pieces:
                began = clock.monotonic()
            pieces += 1
    seconds = clock.monotonic() - began
    return (pieces - 1) / seconds if pieces > 1 and seconds > 0 else None
