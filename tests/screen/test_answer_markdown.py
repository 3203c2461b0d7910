"""An answer on the screen: what is drawn, selected, clicked on and copied."""

import asyncio

from textual.geometry import Offset
from textual.selection import Selection

from idleclaw_tui.chat_updates import Finished, TextPiece
from idleclaw_tui.code_blocks import code_blocks
from idleclaw_tui.widgets.answer_markdown import AnswerMarkdown
from idleclaw_tui.widgets.exchange_view import QuestionView
from tests.screen.driving import Screen, opened
from tests.screen.fakes import FakeRouter, Step, network

SECTION = """## Part {n}

A **paragraph** with `code` and a [link](https://example.com/{n}) that is wrapped at least once.

```python
def value_{n}() -> int:
    return {n}
```

| name | value |
|------|------:|
| part | {n} |

- a point
  1. and its detail

"""
LONG = "".join(SECTION.format(n=number) for number in range(1, 180))


def body(screen: Screen) -> AnswerMarkdown:
    return screen.app.screen.query_one(AnswerMarkdown)


def rows(screen: Screen) -> list[str]:
    """Return all rows of the answer, also those out of sight."""
    view = body(screen)
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


async def test_a_long_answer_is_rich_from_its_beginning_to_its_end() -> None:
    assert len(LONG) >= 32_000
    gate = asyncio.Event()
    pieces = [TextPiece(LONG[at : at + 900]) for at in range(0, len(LONG), 900)]
    router = FakeRouter(network(), [*pieces, gate, TextPiece("\n\nThe **end**."), Finished("stop")])
    async with opened(router) as screen:
        await screen.ask("Go on")
        last = len(code_blocks(LONG))
        await screen.until(lambda: f"copy {last}" in "\n".join(rows(screen)), "all of it")
        growing = rows(screen)
        gate.set()
        await screen.until_shown("✓ llama3.2:3b", "The end.")
        drawn = rows(screen)
        assert drawn[: len(growing) - 3] == growing[:-3], "the end changes nothing of the beginning"
        for number in (1, last // 2, last):
            assert any(
                line.startswith("  python") and line.endswith(f"copy {number}") for line in drawn
            )
        text = "\n".join(drawn)
        assert not any(mark in text for mark in ("**", "```", "## ", "|--", "](https"))
        assert len(body(screen).children) == 0


async def test_what_is_selected_is_copied_without_what_stands_beside_it() -> None:
    answer = "> quoted\n\n```py\nif x:\n    y\n```\n\n1. one\n2. two\n"
    async with opened(FakeRouter(network(), [TextPiece(answer), Finished("stop")])) as screen:
        await screen.ask("Go")
        await screen.until_shown("✓ llama3.2:3b", "2. two")
        everything, _ = body(screen).get_selection(Selection(None, None))
        lines = everything.split("\n")
        assert [lines[0], *lines[3:5], *lines[6:]] == [
            "quoted",
            "if x:",
            "    y",
            "1. one",
            "2. two",
        ]
        row = next(y for y, line in enumerate(screen.text.split("\n")) if "quoted" in line)
        column = screen.text.split("\n")[row].index("quoted")
        await screen.pilot.mouse_down(offset=(column + 2, row))
        await screen.pilot.hover(offset=(column + 4, row))
        await screen.pilot.hover(offset=(column + 5, row))
        await screen.pilot.mouse_up(offset=(column + 5, row))
        await screen.until(lambda: screen.app.screen.get_selected_text(), "selection")
        assert screen.app.screen.get_selected_text() == "oted"
        selected = Selection(Offset(1, 3), Offset(3, 4))
        assert body(screen).get_selection(selected)[0] == "f x:\n   "


async def test_a_wrapped_line_is_copied_as_one() -> None:
    words = "word " * 60
    async with opened(FakeRouter(network(), [TextPiece(words), Finished("stop")])) as screen:
        await screen.ask("Go")
        await screen.until_shown("✓ llama3.2:3b")
        assert len(rows(screen)) > 3
        assert body(screen).get_selection(Selection(None, None))[0] == words.strip()


async def test_beside_a_row_of_wrapped_code_selecting_begins_with_that_row() -> None:
    code = "".join(f"{number:04}" for number in range(40))
    answer = f"```\n{code}\n```\n"
    async with opened(FakeRouter(network(), [TextPiece(answer), Finished("stop")])) as screen:
        await screen.ask("Go")
        await screen.until_shown("✓ llama3.2:3b")
        lines = screen.text.split("\n")
        row = next(y for y, line in enumerate(lines) if code[-8:] in line)
        rest = lines[row].strip()
        left = lines[row].index(rest)
        for beside in (1, 2):
            await screen.pilot.mouse_down(offset=(left - beside, row))
            await screen.pilot.hover(offset=(left + 2, row))
            await screen.pilot.hover(offset=(left + 4, row))
            await screen.pilot.mouse_up(offset=(left + 4, row))
            await screen.until(lambda: screen.app.screen.get_selected_text(), "selection")
            selected = screen.app.screen.get_selected_text()
            assert selected is not None
            assert rest.startswith(selected)
            assert len(selected) in (4, 5)
            screen.app.screen.clear_selection()


async def test_a_click_on_the_label_over_code_copies_that_code() -> None:
    answer = "```py\none\n```\n\n```sh\ntwo\n\tthree\n```\n"
    async with opened(FakeRouter(network(), [TextPiece(answer), Finished("stop")])) as screen:
        await screen.ask("Go")
        await screen.until_shown("✓ llama3.2:3b", "copy 2")
        row = next(y for y, line in enumerate(screen.text.split("\n")) if "copy 2" in line)
        await screen.pilot.click(offset=(screen.text.split("\n")[row].index("copy 2") + 1, row))
        await screen.until_shown("Copied code 2: 10 characters.")
        assert screen.app.clipboard == "two\n\tthree"


async def test_an_answer_follows_the_width_of_the_screen() -> None:
    table = "| a long heading | another heading |\n|---|---|\n| " + "word " * 9 + "| x |\n"
    answer = f"{'word ' * 30}\n\n{table}\n```\n{'x' * 90}\n```\n"
    async with opened(FakeRouter(network(), [TextPiece(answer), Finished("stop")])) as screen:
        await screen.ask("Go")
        await screen.until_shown("✓ llama3.2:3b")
        wide = len(rows(screen))
        await screen.pilot.resize_terminal(40, 30)
        await screen.until(lambda: body(screen).size.width < 40, "narrow")
        narrow = rows(screen)
        assert len(narrow) > wide
        assert "".join(narrow).count("x") >= 91, "code is cut, and nothing of it lost"
        assert max(map(len, narrow)) <= body(screen).size.width


async def test_colours_follow_the_theme() -> None:
    answer = TextPiece("# Title\n\n```py\nx = 'y'\n```\n")
    async with opened(FakeRouter(network(), [answer, Finished("stop")])) as screen:
        await screen.ask("Go")
        await screen.until_shown("✓ llama3.2:3b")
        dark = [str(segment.style) for segment in body(screen).render_line(0)]
        screen.app.theme = "idleclaw-light"
        await screen.pilot.pause()
        light = [str(segment.style) for segment in body(screen).render_line(0)]
        assert dark != light


async def test_code_has_colours_once_its_fence_is_closed() -> None:
    gate, end = asyncio.Event(), asyncio.Event()
    script: list[Step] = [
        TextPiece("```py\ndef f(): pass\n"),
        gate,
        TextPiece("```\n"),
        end,
        Finished("stop"),
    ]
    async with opened(FakeRouter(network(), script)) as screen:
        await screen.ask("Go")
        await screen.until_shown("def f(): pass", "copy 1")
        plain = [segment for segment in body(screen).render_line(1) if segment.text.strip()]
        assert [segment.text for segment in plain] == ["def f(): pass"]
        gate.set()
        await screen.until(lambda: len(list(body(screen).render_line(1))) > 4, "colours")
        end.set()
        await screen.until_shown("✓ llama3.2:3b")
        assert len(screen.app.screen.query(QuestionView)) == 1


async def test_references_are_links_once_the_answer_is_whole() -> None:
    answer = "See [the page][1].\n\nMore.\n\nEnd.\n\n[1]: https://example.com/page\n"
    pieces = [TextPiece(character) for character in answer]
    async with opened(FakeRouter(network(), [*pieces, Finished("stop")])) as screen:
        await screen.ask("Go")
        await screen.until_shown("✓ llama3.2:3b", "See the page.")
