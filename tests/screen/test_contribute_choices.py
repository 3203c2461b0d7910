"""The owner's choices in the Contribute tab: models, limits, pause, speed, the next try."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from textual.widgets import Input, Select

from idleclaw_protocol.frames import OfferedModel
from idleclaw_tui.errors import UsageError
from idleclaw_tui.node_events import LinkChanged, SpeedMeasured, StandingChanged
from idleclaw_tui.sharing_settings import SharingSettings
from idleclaw_tui.widgets.limit_row import LimitRow
from idleclaw_tui.widgets.limits_editor import LimitsEditor
from tests.screen.driving import Made, Screen, opened
from tests.screen.fakes import FakeRouter, network
from tests.screen.sharing_states import plan, sharing, stopped_by, tell
from tests.screen.shooting import SMALL, USUAL

SIZES = pytest.mark.parametrize("size", [USUAL, SMALL], ids=["usual", "small"])


def field(screen: Screen, key: str) -> Input:
    """Return what is typed into in the open form."""
    rows = screen.app.screen.query(LimitRow)
    return next(row for row in rows if row.field.key == key).query_one(Input)


async def open_form(screen: Screen) -> None:
    await screen.press("l")
    await screen.until_shown("requests at once")


@SIZES
async def test_models_are_ticked_by_key_live_and_kept(size: tuple[int, int]) -> None:
    kept: list[SharingSettings] = []
    made = Made()
    choice = replace(plan(made), save=kept.append)
    async with opened(FakeRouter(network()), size, tab="contribute", sharing=choice) as screen:
        await screen.press("space", "m")
        await screen.until_shown("[x] qwen3:8b")
        await screen.press("space")
        await screen.until_shown("[ ] qwen3:8b", "[x] llama3.2:3b")
        await screen.until(lambda: kept, "the choice on the disk")
        (node,) = made.nodes
        assert not node.draining
        assert node.settings[-1].models == ("llama3.2:3b",)
        await screen.press("space", "down", "w")
        await screen.until(lambda: kept[-1].warm_up, "kept ready")
    assert kept[-1] == SharingSettings(warm_up=("llama3.2:3b",))
    assert node.settings[-1] == kept[-1]


@SIZES
async def test_models_are_ticked_by_mouse(size: tuple[int, int]) -> None:
    made = Made()
    async with opened(FakeRouter(network()), size, tab="contribute", sharing=plan(made)) as screen:
        await screen.press("m")
        await screen.until_shown("[x] qwen3:8b")
        await screen.pilot.click("#share-models", offset=(3, 1))
        await screen.until_shown("[ ] llama3.2:3b")
        await screen.pilot.click("#share-switch")
        await screen.until(lambda: made.nodes, "a node by mouse")
    assert made.nodes[0].settings[0].models == ("qwen3:8b",)


async def test_no_model_ticked_is_said() -> None:
    none = plan(Made(), settings=SharingSettings(models=()))
    async with opened(FakeRouter(network()), tab="contribute", sharing=none) as screen:
        await screen.until_shown("✕ No model is ticked. Press m, then space on one.")


async def test_a_chosen_model_that_is_gone_stays_chosen() -> None:
    made = Made()
    gone = plan(made, settings=SharingSettings(models=("gone:1b", "qwen3:8b")))
    async with opened(FakeRouter(network()), USUAL, tab="contribute", sharing=gone) as screen:
        await screen.until_shown("[x] gone:1b", "not in Ollama now")
        await screen.press("m", "down", "space")
        await screen.until_shown("[x] llama3.2:3b")
        await screen.press("f4", "space")
        await screen.until(lambda: made.nodes, "a node")
    assert made.nodes[0].settings[0].models == ("qwen3:8b", "llama3.2:3b", "gone:1b")


@SIZES
async def test_limits_hold_at_once(size: tuple[int, int]) -> None:
    async with sharing(size) as (screen, node, _):
        await open_form(screen)
        field(screen, "max_concurrent").value = "3"
        field(screen, "tokens_a_day").value = "50,000"
        field(screen, "schedule").value = "22:00-07:00; sat 9:00-18:00"
        field(screen, "schedule").focus()
        await screen.press("enter")
        await screen.until(lambda: len(node.settings) == 2, "other settings")
        assert not isinstance(screen.app.screen, LimitsEditor)
        if size == USUAL:
            await screen.until_shown("3 requests", "50,000 tokens")
    assert (node.settings[1].max_concurrent, node.settings[1].tokens_a_day) == (3, 50_000)
    assert [str(w) for w in node.settings[1].schedule] == ["22:00-07:00", "sat 09:00-18:00"]
    assert not node.draining


@SIZES
async def test_a_wrong_limit_is_explained_and_loses_nothing(size: tuple[int, int]) -> None:
    async with sharing(size) as (screen, node, _):
        await open_form(screen)
        field(screen, "answer_tokens").value = "900"
        field(screen, "max_concurrent").value = "many [/nope]"
        await screen.until_shown("A whole number from 1 to 10.")
        await screen.press("ctrl+s")
        assert isinstance(screen.app.screen, LimitsEditor)
        assert field(screen, "max_concurrent").has_focus
        assert field(screen, "answer_tokens").value == "900"
        field(screen, "max_concurrent").value = "2"
        await screen.until_gone("A whole number")
        await screen.press("ctrl+s")
        await screen.until(lambda: len(node.settings) == 2, "other settings")
    assert (node.settings[1].max_concurrent, node.settings[1].answer_tokens) == (2, 900)


@SIZES
async def test_every_error_can_be_seen_and_the_way_out_stays_in_sight(
    size: tuple[int, int],
) -> None:
    async with sharing(size) as (screen, _, _):
        await open_form(screen)
        for row in screen.app.screen.query(LimitRow):
            if not row.field.options:
                field(screen, row.field.key).value = "?" * 11
        await screen.until_shown("A whole number", "Save")
        await screen.pilot.click("#limits-save")
        await screen.until_shown("22:00-07:00", "Save")


@SIZES
async def test_set_times_need_hours(size: tuple[int, int]) -> None:
    async with sharing(size) as (screen, node, _):
        await open_form(screen)
        mode = screen.app.screen.query(Select).first()
        assert mode.has_focus
        await screen.press("enter", "down", "down", "down", "enter")
        await screen.until_shown("at set times")
        await screen.pilot.click("#limits-save")
        await screen.until_shown("needs hours")
        assert field(screen, "schedule").has_focus
        field(screen, "schedule").value = "22:00-07:00"
        await screen.until_gone("needs hours")
        await screen.pilot.click("#limits-save")
        await screen.until(lambda: len(node.settings) == 2, "other settings")
    assert node.settings[1].mode == "schedule"


@SIZES
@pytest.mark.parametrize("way", ["escape", "mouse"])
async def test_leaving_the_form_changes_nothing(way: str, size: tuple[int, int]) -> None:
    async with sharing(size) as (screen, node, _):
        await open_form(screen)
        field(screen, "max_concurrent").value = "3"
        if way == "escape":
            await screen.press("escape")
        else:
            await screen.pilot.click("#limits-cancel")
        await screen.until(lambda: not isinstance(screen.app.screen, LimitsEditor), "closed")
    assert len(node.settings) == 1


async def test_limits_open_by_mouse_and_by_enter() -> None:
    async with sharing(USUAL) as (screen, _, _):
        for way in ("mouse", "enter"):
            if way == "mouse":
                await screen.pilot.click("#share-limits")
            else:
                screen.app.screen.query_one("#share-limits").focus()
                await screen.press("enter")
            await screen.until_shown("requests at once")
            await screen.press("escape")


async def test_settings_that_cannot_be_kept_hold_and_are_said() -> None:
    def refuse(_: SharingSettings) -> None:
        raise UsageError("The choice holds until you leave, but the disk is full.")

    made = Made()
    choice = replace(plan(made), save=refuse)
    async with opened(FakeRouter(network()), tab="contribute", sharing=choice) as screen:
        await screen.press("space", "m", "space", "e")
        await screen.until_shown("but the disk is full.")
    assert made.nodes[0].settings[-1].models == ("llama3.2:3b",)


async def test_a_file_that_was_not_understood_is_said() -> None:
    choice = replace(plan(Made()), notice="sharing.json is no JSON. The defaults are used.")
    async with opened(FakeRouter(network()), tab="contribute", sharing=choice) as screen:
        await screen.press("e")
        await screen.until_shown("14:04:00  sharing.json is no JSON. The defaults are used.")


@SIZES
async def test_a_pause_by_key_and_its_end(size: tuple[int, int]) -> None:
    async with sharing(size) as (screen, node, _):
        await screen.press("p")
        await tell(screen, node, StandingChanged(stopped_by("paused_by_user")))
        await screen.until_shown("PAUSED", "p goes on", "paused: you paused it")
        await screen.press("p")
    assert node.calls == ["pause", "resume"]


@SIZES
async def test_the_next_try_can_be_now(size: tuple[int, int]) -> None:
    async with sharing(size) as (screen, node, _):
        await screen.press("t")
        await tell(screen, node, LinkChanged("waiting", "No router answers.", 42.0))
        await screen.until_shown("No router answers. Retrying in", "42 s.", "now.")
        await screen.press("t")
    assert node.calls == ["try_now"]


async def test_the_speed_is_measured_by_key_before_sharing() -> None:
    gate = asyncio.Event()
    asked: list[list[str]] = []

    async def measure(models: Sequence[OfferedModel], _: SharingSettings) -> SpeedMeasured:
        asked.append([model.name for model in models])
        await gate.wait()
        return SpeedMeasured("llama3.2:3b", 41.3)

    choice = replace(
        plan(Made(), settings=SharingSettings(models=("llama3.2:3b",))), measure=measure
    )
    async with opened(FakeRouter(network()), tab="contribute", sharing=choice) as screen:
        await screen.until_shown("s measures it")
        await screen.press("s")
        await screen.until_shown("measuring the speed")
        await screen.press("s")
        gate.set()
        await screen.until_shown("✓ llama3.2:3b makes 41 tok/s on this machine")
    assert asked == [["llama3.2:3b"]]


async def test_a_busy_owner_is_not_measured() -> None:
    async def measure(_: Sequence[OfferedModel], __: SharingSettings) -> SpeedMeasured:
        return SpeedMeasured(None, why_not="Not now: this machine runs on its battery.")

    choice = replace(plan(Made()), measure=measure)
    async with opened(FakeRouter(network()), (120, 30), tab="contribute", sharing=choice) as screen:
        await screen.until_shown("s measures it")
        await screen.press("s")
        await screen.until_shown("✕ The speed is not measured. Not now: this machine runs on its")


async def test_parts_of_a_small_screen() -> None:
    async with sharing(SMALL) as (screen, _, _):
        for key, shown, hidden in (
            ("e", "makes 41 tok/s", "Nobody has asked"),
            ("g", "✓ keyboard quiet 14 min", "makes 41 tok/s"),
            ("m", "[x] qwen3:8b", "✓ keyboard quiet"),
            ("r", "Nobody has asked", "[x] qwen3:8b"),
        ):
            await screen.press(key)
            await screen.until_shown(shown)
            assert hidden not in screen.text


async def test_help_tells_the_keys_of_the_tab() -> None:
    async with sharing((120, 40)) as (screen, _, _):
        await screen.press("f1")
        await screen.until_shown("Shares this machine's Ollama", "Pause sharing")


async def test_without_colours_every_state_is_still_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    pause = StandingChanged(stopped_by("cpu_busy"))
    async with sharing(USUAL, pause) as (screen, _, _):
        await screen.until_shown("PAUSED", "✕ CPU 61 %", "? GPU", "[x] qwen3:8b")
