"""`contribute` without a screen: what it prints, how it ends."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys

import pytest

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui.day_count import count_path
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.headless.contribute import Contribution, contribute
from idleclaw_tui.node_events import (
    DayChanged,
    LinkChanged,
    ModelsChanged,
    NodeEvent,
    RequestChanged,
    ShownAs,
    StandingChanged,
)
from idleclaw_tui.sharing_control import Machine
from idleclaw_tui.sharing_news import SharingNews, sentence
from idleclaw_tui.sharing_policy import Standing
from idleclaw_tui.sharing_settings import SharingSettings
from tests.fake_ollama import FakeOllama
from tests.fake_router_ws import FakeRouter
from tests.sharing.fakes import FakeSignals
from tests.waiting import wait_until

MODEL = "smollm2:135m"
SERVER = "https://claw.example"


def start(
    router: FakeRouter,
    ollama: FakeOllama,
    *,
    json_lines: bool = False,
    signals: FakeSignals | None = None,
    settings: SharingSettings | None = None,
    measure: bool = False,
) -> "asyncio.Task[ExitCode]":
    return asyncio.create_task(
        contribute(
            router.url,
            ollama.url,
            settings or SharingSettings(mode="always"),
            Machine(signals or FakeSignals(), lambda: False, count_path()),
            json_lines=json_lines,
            measure=measure,
        )
    )


def interrupt(number: signal.Signals = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupt_finishes_what_runs_then_leaves(
    ollama: FakeOllama,
    router: FakeRouter,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
) -> None:
    before = signal.getsignal(number)
    ollama.first_token = asyncio.Event()
    task = start(router, ollama)
    node = await router.node()
    request_id = await node.request(model=MODEL)
    await ollama.chat(0)
    interrupt(number)
    await node.heartbeat(lambda frame: not frame["available"])
    ollama.first_token.set()
    assert (await node.answer(request_id))[-1]["chunk"]["done"]
    assert await task == ExitCode.OK
    assert signal.getsignal(number) is before
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"Connected to {router.url}" in printed.err
    assert "Ollama 0.33.0 offers big:8b (10.0 GB), smollm2:135m (0.1 GB)." in printed.err
    assert "Finishing one request, then leaving." in printed.err
    assert "Request 1 · smollm2:135m · done · in 1 · out 3" in printed.err
    assert "Stopped after 1 request answered with 3 tokens." in printed.err


async def test_a_second_interrupt_leaves_at_once(ollama: FakeOllama, router: FakeRouter) -> None:
    ollama.endless = True
    task = start(router, ollama)
    node = await router.node()
    await node.request(model=MODEL)
    chat = await ollama.chat(0)
    interrupt()
    await node.heartbeat(lambda frame: not frame["available"])
    interrupt()
    assert await task == ExitCode.INTERRUPTED
    await chat.aborted.wait()


async def test_events_are_json_lines_on_stdout(
    ollama: FakeOllama, router: FakeRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    task = start(router, ollama, json_lines=True)
    node = await router.node()
    await node.answer(await node.request(model=MODEL))
    interrupt()
    assert await task == ExitCode.OK
    printed = capsys.readouterr()
    assert printed.err == ""
    events = [json.loads(line) for line in printed.out.splitlines()]
    assert [e["state"] for e in events if e["event"] == "link"] == [
        "connecting",
        "connected",
        "draining",
        "stopped",
    ]
    models = next(event for event in events if event["event"] == "models")
    assert models["models"][1]["name"] == MODEL
    done = events[[e.get("state") for e in events].index("done")]
    assert (done["prompt_tokens"], done["answer_tokens"]) == (1, 3)


async def test_pauses_are_told_with_their_reasons(
    ollama: FakeOllama, router: FakeRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    signals = FakeSignals()
    task = start(router, ollama, signals=signals)
    node = await router.node()
    signals.set(on_battery=True)
    await node.heartbeat(lambda frame: frame.get("reason") == "on_battery")
    signals.set(on_battery=False)
    interrupt()
    await task
    lines = [line[10:] for line in capsys.readouterr().err.splitlines()]
    assert lines[0] == "Sharing always. This machine does not tell: GPU, GPU heat."
    assert lines[1] == (
        "Guards: ✓ on mains, ✓ your Ollama quiet, ✓ CPU 1 %, ? GPU, ? GPU heat, ✓ 12.9 GB free."
    )
    assert "Paused: this machine runs on its battery." in lines
    assert len(lines) == 9, lines


async def test_the_speed_is_told_first_in_both_forms(
    ollama: FakeOllama, router: FakeRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    for json_lines in (False, True):
        task = start(router, ollama, json_lines=json_lines, measure=True)
        node = await router.node(int(json_lines))
        await node.heartbeat(lambda frame: frame["available"])
        interrupt()
        await task
    printed = capsys.readouterr()
    assert "smollm2:135m makes 132 tok/s on this machine." in printed.err
    events = [json.loads(line) for line in printed.out.splitlines()]
    (speed,) = [event for event in events if event["event"] == "speed"]
    assert (speed["model"], round(speed["tokens_per_second"])) == (MODEL, 132)


async def test_pauses_are_json_lines_too(
    ollama: FakeOllama, router: FakeRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    signals = FakeSignals()
    task = start(router, ollama, signals=signals, json_lines=True)
    node = await router.node()
    await node.answer(await node.request(model=MODEL))
    signals.set(on_battery=True)
    await node.heartbeat(lambda frame: frame.get("reason") == "on_battery")
    interrupt()
    await task
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    standings = [event for event in events if event["event"] == "standing"]
    assert [(e["phase"], e["reasons"]) for e in standings] == [
        ("serving", []),
        ("paused", ["on_battery"]),
    ]
    guards = {guard["reason"]: guard for guard in standings[0]["guards"]}
    assert guards["gpu_busy"]["state"] == "unknown"
    assert guards["owner_inference"]["value"] is None
    assert [e["tokens"] for e in events if e["event"] == "today"] == [0, 3]
    assert (events[-1]["event"], events[-1]["requests"], events[-1]["tokens"]) == ("session", 1, 3)


async def test_the_code_says_what_stood_in_the_way(
    ollama: FakeOllama, router: FakeRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    await router.stop()
    task = start(router, ollama)
    await wait_for_words("No router answers", capsys)
    interrupt()
    assert await task == ExitCode.UNREACHABLE
    await ollama.stop()
    task = start(router, ollama)
    await wait_for_words("No Ollama answers", capsys)
    interrupt()
    assert await task == ExitCode.OLLAMA_UNREACHABLE


async def wait_for_words(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    seen = ""

    def found() -> bool:
        nonlocal seen
        seen += capsys.readouterr().err
        return words in seen

    await wait_until(found, words)


class ClosedPipe(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_left_ends_it_once() -> None:
    hangups: list[int] = []
    contribution = Contribution(
        SERVER,
        json_lines=True,
        out=ClosedPipe(),
        err=io.StringIO(),
        on_hangup=lambda: hangups.append(1),
    )
    contribution.note(LinkChanged("connected"))
    contribution.note(LinkChanged("draining"))
    assert hangups == [1]
    assert contribution.end() == ExitCode.OK


MODELS = tuple(OfferedModel(name=f"m{n}", size=2 * 10**9) for n in range(7))
DONE = RequestChanged(3, "m1", "done", 0.0, 12.3, 1412, 233, 38.4)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (LinkChanged("connecting"), f"Connecting to {SERVER}."),
        (LinkChanged("waiting", "No router.", 8.0), "No router. Retrying in 8.0 s."),
        (LinkChanged("refused", "Refused.", 90.0), "Refused. Retrying in 90 s."),
        (LinkChanged("connected", "Ollama is gone."), "Ollama is gone."),
        (ShownAs("amber-otter-417"), "Others see this machine as amber-otter-417."),
        (ModelsChanged(MODELS, "0.33.0"), "m4 (2.0 GB) and 2 more."),
        (DONE, "Request 3 · m1 · done · in 1,412 · out 233 · 38 tok/s · 12 s"),
        (RequestChanged(1, "m", "failed", 0.0, 0.5, error="It broke."), "failed · 0.5 s: It broke"),
        (StandingChanged(Standing("paused", "idle", ("on_battery",))), "runs on its battery."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_event_in_words(event: NodeEvent, words: str) -> None:
    assert words in " ".join(SharingNews(SERVER).of(event))


@pytest.mark.parametrize(
    "event",
    [
        LinkChanged("stopped"),
        ModelsChanged((), None),
        RequestChanged(1, "m", "loading", 0.0, 0.0),
        RequestChanged(1, "m", "streaming", 0.0, 0.0),
        DayChanged(5, 1),
    ],
)
def test_what_people_need_not_hear_of(event: NodeEvent) -> None:
    assert sentence(event, SERVER) is None


def test_contributing_imports_no_screen() -> None:
    code = "import sys, idleclaw_tui.headless.contribute; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
