"""What is drawn while a batch is open is drawn again after it."""

import pytest
from rich.console import RenderableType
from textual._compositor import CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen as TextualScreen

from tests.screen.driving import opened
from tests.screen.fakes import FakeRouter, network


async def test_a_size_that_changes_during_a_batch_is_drawn_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[CompositorUpdate] = []
    displayed = App._display

    def note(
        app: App[None], screen: TextualScreen[object], renderable: RenderableType | None
    ) -> None:
        if isinstance(renderable, CompositorUpdate) and not app._batch_count:
            drawn.append(renderable)
        displayed(app, screen, renderable)

    async with opened(FakeRouter(network())) as screen:
        await screen.pilot.pause()
        monkeypatch.setattr(App, "_display", note)
        with screen.app.batch_update():
            on_top = screen.app.screen
            on_top._compositor._dirty_regions.add(on_top.size.region)
            on_top._refresh_layout()
            await screen.pilot.pause()
            assert drawn == []
        await screen.until(
            lambda: any(isinstance(update, LayoutUpdate) for update in drawn), "the whole screen"
        )
