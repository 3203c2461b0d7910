"""`idleclaw-tui status --watch`: lines, objects, and a page that is redrawn in place."""

import asyncio
import io
import json
import os
import signal
from asyncio.subprocess import Process
from datetime import datetime
from typing import Any

import pytest
from rich.cells import cell_len

from idleclaw_protocol.status import Network
from idleclaw_protocol.text_safety import is_unsafe
from idleclaw_tui.errors import RouterUnreachable
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.headless.status_changes import MAX_LINES, change_lines, summary
from idleclaw_tui.headless.status_watch import Lines, Page, fitted_page
from idleclaw_tui.network.status_report import StatusReport
from idleclaw_tui.router.answers import cleaned
from tests.client.running import run_main, start_program
from tests.client.test_network_events import BUSIER, SNAPSHOT, event
from tests.fake_router_http import FakeRouter, Hold
from tests.network_pages import NETWORK, model, network, node

SERVER = "http://127.0.0.1:8000"


def report(*models: dict[str, Any], nodes: tuple[dict[str, Any], ...] = ()) -> StatusReport:
    """Return what a router tells, cleaned as the client does."""
    body = cleaned(network(list(models), list(nodes)))
    return StatusReport.from_network(SERVER, Network.model_validate(body))


def test_what_changed_in_lines() -> None:
    before = report(model("a:1b"), model("b:1b"), nodes=(node("otter"), node("lynx")))
    after = report(
        model("a:1b", slots_free=0, queued=2, tokens_per_second=40.0),
        model("c:1b"),
        nodes=(
            node("otter", "paused", reason="by its owner", uptime_seconds=9),
            node("heron", "serving"),
        ),
    )
    assert change_lines(before, after) == [
        "- model b:1b",
        "- node lynx",
        "  model a:1b · 1 node · 0 of 2 slots free · 2 waiting",
        "+ model c:1b · 1 node · 2 of 2 slots free",
        "  node otter · paused · by its owner",
        "+ node heron · serving",
    ]
    assert change_lines(after, after) == []


def test_many_changes_are_counted() -> None:
    after = report(*(model(f"m{number}:1b") for number in range(MAX_LINES + 7)))
    lines = change_lines(report(), after)
    assert len(lines) == MAX_LINES + 1
    assert lines[-1] == "and 7 more changes"


def test_a_line_sums_the_network_up() -> None:
    assert summary(report(model("a:1b"))) == "0 nodes · 1 model · 1 of 6 slots busy · 2 waiting"


def test_lines_tell_a_loss_once_and_where_people_look() -> None:
    out, err = io.StringIO(), io.StringIO()
    lines = Lines(out, err, json_objects=False, now=lambda: datetime(2026, 1, 2, 14, 2, 11))
    lines.show(report(model("a:1b")))
    for _ in range(3):
        lines.lose(RouterUnreachable(SERVER, "broken"), 2.0)
        lines.tick()
    lines.show(report(model("a:1b"), model("b:1b")))
    assert out.getvalue().splitlines() == [
        "14:02:11  0 nodes · 1 model · 1 of 6 slots busy · 2 waiting",
        "14:02:11  + model b:1b · 1 node · 2 of 2 slots free",
    ]
    assert err.getvalue().splitlines() == [
        f"The connection to {SERVER} broke. Try again in a moment. Trying on.",
        "The router answers again.",
    ]


def test_objects_are_whole_and_told_only_where_something_changed() -> None:
    out = io.StringIO()
    lines = Lines(out, io.StringIO(), json_objects=True)
    first = report(model("a:1b"))
    lines.show(first)
    lines.show(first.model_copy(update={"uptime_seconds": 99_999}))
    lines.show(report(model("b:1b")))
    objects = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [[m["name"] for m in told["models"]] for told in objects] == [["a:1b"], ["b:1b"]]


def test_a_page_taller_than_the_terminal_says_what_is_missing() -> None:
    lines = [str(number) for number in range(30)]
    page = fitted_page(lines, 10, ["", "foot"])
    assert len(page) == 10
    assert page[7:] == ["and 23 more lines below, in a taller terminal", "", "foot"]
    assert fitted_page(lines, 30, []) == lines


def test_a_page_is_redrawn_and_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.setenv("LINES", "12")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    out, now = io.StringIO(), [100.0]
    hostile = "\x1b[2J\x1b]52;c;evil\x07" + "界" * 31
    with Page(out, lambda: now[0]) as page:
        page.show(report(model(hostile)))
        page.lose(RouterUnreachable(SERVER, "refused"), 8.0)
        now[0] += 3
        page.tick()
    drawn = out.getvalue()
    assert "Retrying in 5 s. This is" in drawn
    assert "\x1b[2J" not in drawn
    assert "\x1b]" not in drawn
    left = drawn.rpartition("\x1b[?1049l")[2].partition("http")[2]
    assert is_unsafe(left.replace("\r", "")) is None
    assert "Retrying" not in left
    assert all(cell_len(line) <= 70 for line in left.splitlines())


async def test_the_command_goes_on_until_interrupted(router: FakeRouter) -> None:
    router.network, gate = NETWORK, asyncio.Event()
    router.network_events = [SNAPSHOT, Hold(gate), BUSIER, Hold(asyncio.Event())]
    process = await start_program("status", "--watch", "--json", "--server", router.url)
    assert process.stdout is not None
    first = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    gate.set()
    second = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    assert [told["totals"]["running"] for told in (first, second)] == [1, 6]
    assert await interrupted(process) == ExitCode.INTERRUPTED


async def test_lines_for_the_original_router(router: FakeRouter) -> None:
    process = await start_program("status", "--watch", "--server", router.url)
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
    assert line.endswith("  2 nodes · 2 models · 1 busy\n")
    assert await interrupted(process) == ExitCode.INTERRUPTED


async def test_a_reader_that_had_enough_is_no_failure(router: FakeRouter) -> None:
    gate = asyncio.Event()
    changed = event("changes", 1, {"uptime_seconds": 1, "models_gone": ["fast:3b"]})
    router.network, router.network_events = NETWORK, [SNAPSHOT, Hold(gate), changed]
    reading, writing = os.pipe()
    process = await start_program("status", "--watch", "--server", router.url, stdout=writing)
    os.close(writing)
    assert await asyncio.to_thread(os.read, reading, 1)
    os.close(reading)
    gate.set()
    assert await asyncio.wait_for(process.wait(), 20) == ExitCode.OK


async def test_an_unreachable_router_ends_it_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    ran = await run_main(capsys, "status", "--watch", "--server", "http://127.0.0.1:1")
    assert (ran.code, ran.out) == (ExitCode.UNREACHABLE, "")


async def test_why(router: FakeRouter, capsys: pytest.CaptureFixture[str]) -> None:
    router.network = NETWORK
    server = ("--server", router.url)
    ran = await run_main(capsys, "status", "--why", "fast:3b", *server)
    assert ran.code == ExitCode.OK
    assert ran.out.startswith("fast:3b · 3.2B Q4_K_M · 8k context\n\nA chat would start at once")
    ran = await run_main(capsys, "status", "--why", "fast:3b", "--json", *server)
    assert json.loads(ran.out)["verdict"] == "now"
    ran = await run_main(capsys, "status", "--why", "gone:3b", *server)
    assert (ran.code, ran.err) == (ExitCode.NO_NODE, "")
    ran = await run_main(capsys, "status", "--why", "not a name", *server)
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    ran = await run_main(capsys, "status", "--why", "fast:3b", "--watch", *server)
    assert ran.code == ExitCode.USAGE


async def interrupted(process: Process) -> int:
    """Press Ctrl+C; return the exit status."""
    process.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(process.communicate(), 20)
    assert err == b""
    assert process.returncode is not None
    return process.returncode
