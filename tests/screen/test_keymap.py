"""Keys of the person's own, and the look that is remembered."""

import asyncio
from pathlib import Path

import pytest

from idleclaw_tui.errors import UsageError
from idleclaw_tui.full_screen import binding_ids
from idleclaw_tui.keymap import load_keymap, parse_keymap
from idleclaw_tui.screen_settings import (
    DEFAULT_LOOK,
    ScreenSettings,
    load_screen_settings,
    save_screen_settings,
    screen_settings_path,
)
from idleclaw_tui.settings_file import SettingsNotSaved
from tests.screen.driving import Screen, opened
from tests.screen.fakes import FakeRouter, make_app, network

IDS = {"chat.again", "prompt.send"}


def test_every_key_has_an_id_that_a_keymap_can_use() -> None:
    assert {
        "chat.again",
        "prompt.send",
        "app.quit",
        "picker.back",
        "chat.continue",
    } <= binding_ids()


def test_a_keymap_gives_keys_to_ids() -> None:
    data = b'{"chat.again": "ctrl+b, f7", "prompt.send": "ctrl+s"}'
    assert parse_keymap(data, IDS, "f") == {"chat.again": "ctrl+b,f7", "prompt.send": "ctrl+s"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"no json", "f are not understood"),
        (b"[]", "f are not understood"),
        (b'{"chat.agian": "f7"}', "Did you mean chat.again?"),
        (b'{"x": "f7"}', "The README lists the names."),
        (b'{"chat.again": 7}', "no key for chat.again"),
        (b'{"chat.again": " "}', "no key for chat.again"),
    ],
)
def test_a_wrong_keymap_is_said(data: bytes, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_keymap(data, IDS, "f")
    assert said in str(refused.value)


def test_the_keymap_is_found_where_the_variable_says_or_in_the_settings(
    tmp_path: Path,
) -> None:
    assert load_keymap({}, IDS) == {}
    given = {"IDLECLAW_KEYMAP": str(tmp_path / "keys")}
    with pytest.raises(UsageError, match="not there"):
        load_keymap(given, IDS)
    (tmp_path / "keys").write_text('{"chat.again": "f7"}')
    assert load_keymap(given, IDS) == {"chat.again": "f7"}
    with pytest.raises(UsageError, match="cannot be read"):
        load_keymap({"IDLECLAW_KEYMAP": str(tmp_path)}, IDS)
    screen_settings_path().parent.mkdir(parents=True)
    screen_settings_path().with_name("keys.json").write_text('{"prompt.send": "f7"}')
    assert load_keymap({}, IDS) == {"prompt.send": "f7"}


def test_the_look_is_kept_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "settings" / "screen.json"
    assert load_screen_settings(path) == DEFAULT_LOOK
    look = ScreenSettings(theme="nord", reduced_motion=True)
    save_screen_settings(path, look)
    assert load_screen_settings(path) == look
    path.write_bytes(b"\xff")
    assert load_screen_settings(path) == DEFAULT_LOOK
    with pytest.raises(SettingsNotSaved):
        save_screen_settings(path / "below-a-file", look)


async def test_the_theme_is_remembered() -> None:
    kept: list[ScreenSettings] = []
    app = make_app(
        FakeRouter(network()), settings=ScreenSettings(theme="nord"), remember=kept.append
    )
    async with app.run_test() as pilot:
        screen = Screen(app, pilot)
        assert app.theme == "nord"
        app.theme = "dracula"
        await screen.until(lambda: kept, "kept")
    assert kept == [ScreenSettings(theme="dracula")]


async def test_without_colours_only_themes_in_true_colours_can_be_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app(FakeRouter(network()), settings=ScreenSettings(theme="ansi-dark"))
    async with app.run_test():
        assert app.theme == "idleclaw-dark"
        assert "nord" in app.available_themes
        assert not any(theme.ansi for theme in app.available_themes.values())


async def test_reduced_motion_is_remembered_and_stills_the_cursor() -> None:
    kept: list[ScreenSettings] = []
    app = make_app(
        FakeRouter(network()), settings=ScreenSettings(reduced_motion=True), remember=kept.append
    )
    async with app.run_test() as pilot:
        screen = Screen(app, pilot)
        before = app.animation_level
        assert not screen.prompt.cursor_blink
        commands = {each.title: each.callback for each in app.get_system_commands(app.screen)}
        result = commands["Reduced motion"]()
        assert not asyncio.iscoroutine(result)
        assert (before, app.animation_level) == ("none", "full")
        await screen.until(lambda: kept, "kept")
    assert kept == [ScreenSettings()]


async def test_a_look_that_cannot_be_kept_is_said() -> None:
    def refuse(settings: ScreenSettings) -> None:
        raise SettingsNotSaved(Path("screen.json"), "read-only file system")

    app = make_app(FakeRouter(network()), settings=DEFAULT_LOOK, remember=refuse)
    async with app.run_test(notifications=True) as pilot:
        screen = Screen(app, pilot)
        app.theme = "nord"
        await screen.until_shown("could not be kept", "read-only")


async def test_the_own_keys_are_used() -> None:
    async with opened(FakeRouter(network())) as screen:
        screen.app.set_keymap({"chat.model": "f10"})
        await screen.press("f10")
        await screen.until_shown("Models online")
