"""Text of strangers in every place where it is shown: no markup, no actions, no controls (A7)."""

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.selection import SELECT_ALL
from textual.widgets import Static

from idleclaw_protocol.frames import OfferedModel
from idleclaw_protocol.status import ModelStatus, Network
from idleclaw_protocol.text_safety import is_unsafe
from idleclaw_tui.chat_updates import Finished, TextPiece, ThinkingPiece, ToolProgress
from idleclaw_tui.errors import UsageError
from idleclaw_tui.node_events import LinkChanged, ModelsChanged, RequestChanged
from idleclaw_tui.node_feed import NodeFeed
from idleclaw_tui.peers import LocalSharing
from idleclaw_tui.tabs.links import is_web_address
from idleclaw_tui.widgets.answer_markdown import AnswerMarkdown
from idleclaw_tui.widgets.message_list import MessageList
from idleclaw_tui.widgets.safe_text import TerminalGuard, text, toast
from idleclaw_tui.widgets.thinking_view import ThinkingHead
from tests.screen.driving import Screen, opened
from tests.screen.fakes import OLLAMA, FakeRouter, Step, network, node
from tests.screen.payloads import PAYLOADS

CONTROLS = "\x1b]0;pwned\x07\x1b]52;c;Y3VybA==\x07\x1b[31m\x9b31m\x07\x00\u202egnp\u2066\U000e0041"
BOTH = [
    f"[@click=app.bell]XX[/]{CONTROLS}",
    f"oops [/nope] [red{CONTROLS}",
]
MARKS = ["[@click=app.bell]XX[/]", "oops [/nope] [red"]
CASES = list(zip(BOTH, MARKS, strict=True))


def assert_harmless(screen: Screen) -> None:
    """Check all that is on the screen: no control characters, no action of the payload."""
    for strip in screen.app.screen._compositor.render_strips():
        for segment in strip:
            assert is_unsafe(segment.text) is None, repr(segment.text)
            assert not set(segment.text) & set("\n\t"), repr(segment.text)
            assert "app.bell" not in str(segment.style.meta if segment.style else {})


def hostile_network(payload: str) -> Network:
    """Return a network whose every text is the payload."""
    model = ModelStatus(
        name=payload,
        nodes=1,
        slots_free=1,
        slots_total=1,
        parameter_size=payload,
        quantization=payload,
        capabilities=(payload, "completion"),
    )
    hostile = node(payload, 1, 2, reason=payload, models=(payload,), ollama_version=payload)
    return network((model,)).model_copy(update={"nodes": (hostile,), "version": payload})


@pytest.mark.parametrize(("payload", "mark"), CASES)
async def test_names_of_models_and_nodes(payload: str, mark: str) -> None:
    async with opened(FakeRouter(hostile_network(payload)), (200, 40), tab="network") as screen:
        await screen.until_shown(mark)
        assert_harmless(screen)
        await screen.press("tab")
        await screen.until_shown("● serving")
        assert_harmless(screen)
        await screen.press("f2", "ctrl+t")
        await screen.until_shown("Models online", mark)
        assert_harmless(screen)
        await screen.press("enter")
        await screen.until_gone("Models online")
        await screen.until_shown(mark)
        assert_harmless(screen)


@pytest.mark.parametrize(("payload", "mark"), CASES)
async def test_answers_thinking_tools_and_errors(payload: str, mark: str) -> None:
    answer = (
        f"# {payload}\n\n| {payload} | b |\n|-|-|\n| {payload} | d |\n\n```{payload}\n{payload}"
    )
    router = FakeRouter(network(), [ThinkingPiece(payload), TextPiece(answer), Finished("stop")])
    async with opened(router, (160, 40)) as screen:
        await screen.ask(payload)
        await screen.until_shown(mark, "✓ llama3.2:3b")
        await screen.pilot.click(ThinkingHead)
        await screen.until(lambda: screen.app.screen.query(".thinking-text"), "thinking")
        assert_harmless(screen)
        router.script = [ToolProgress(payload, "executing"), UsageError(payload)]
        await screen.press("ctrl+r")
        await screen.until_shown("^r again", mark)
        assert_harmless(screen)


@pytest.mark.parametrize(("payload", "mark"), CASES)
async def test_what_the_own_node_tells(payload: str, mark: str) -> None:
    feed = NodeFeed()
    feed.publish(LinkChanged("waiting", payload, 3.0))
    model = OfferedModel.model_construct(name=payload, size=1, quantization=payload)
    feed.publish(ModelsChanged((model,), payload))
    feed.publish(RequestChanged(1, payload, "failed", 0.0, 1.0, error=payload))
    plan = LocalSharing(feed, OLLAMA)
    async with opened(FakeRouter(network()), (200, 40), tab="contribute", sharing=plan) as screen:
        await screen.until_shown(mark, "✕ failed")
        assert_harmless(screen)


@pytest.mark.parametrize(("payload", "mark"), CASES)
async def test_toasts_and_labels(payload: str, mark: str) -> None:
    async with opened(FakeRouter(network()), (200, 40), label=payload) as screen:
        toast(screen.chat, payload)
        await screen.until(lambda: screen.text.count(mark) >= 2, "label and toast")
        assert_harmless(screen)


async def test_the_guard_stops_what_a_widget_lets_through() -> None:
    async with opened(FakeRouter(network())) as screen:
        await screen.app.mount(Static(f"A{CONTROLS}B", markup=False), before=0)
        await screen.until_shown("A]0;pwned]52;c;Y3VybA==[31m31mgnpB")
        assert_harmless(screen)


def test_the_guard_keeps_what_is_harmless_and_can_speak_ascii() -> None:
    line = [Segment("● ok · 漢字 é 👍"), Segment("plain")]
    black = Color(0, 0, 0)
    assert TerminalGuard().apply(line, black) == line
    assert TerminalGuard(ascii_only=True).apply(line, black)[0].text == "* ok . 漢字 é 👍"


def test_text_is_literal() -> None:
    assert text("[b]x[/b] $n\x1b[0m").plain == "[b]x[/b] $n"


@pytest.mark.parametrize("name", PAYLOADS)
async def test_no_payload_in_a_conversation_does_more_than_be_text(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webbrowser.open", lambda *_, **__: pytest.fail("opened a link"))
    payload, seen = PAYLOADS[name]
    rest = f"> {payload}\n\n| a |\n|-|\n| {payload} |\n"
    script: list[Step] = [
        ThinkingPiece(payload),
        TextPiece(f"{payload}\n\n"),
        TextPiece(rest),
        Finished("error", error=payload),
    ]
    async with opened(FakeRouter(network(), script), (100, 40)) as screen:
        await screen.ask("Go")
        await screen.until_shown("^r again")
        assert seen in screen.text.replace("\n", "")
        assert_harmless(screen)
        screen.app.screen.query_one(ThinkingHead).action_open_or_close()
        await screen.until(lambda: screen.app.screen.query(".thinking-text"), "thinking")
        screen.chat.query_one(MessageList).scroll_home(animate=False)
        await screen.pilot.pause()
        assert_harmless(screen)
        answer = screen.app.screen.query_one(AnswerMarkdown)
        assert is_unsafe(answer.get_selection(SELECT_ALL)[0]) is None
        assert screen.app.clipboard == ""


def drawn(screen: Screen) -> str:
    """Return all rows of the answer, also those out of sight."""
    body = screen.app.screen.query_one(AnswerMarkdown)
    return "\n".join(body.render_line(y).text.strip() for y in range(body.size.height))


@pytest.mark.parametrize(
    ("hostile", "end"),
    [
        ("|a|b|\n|-|-|\n" + "|x|y|\n" * 1200, "x │ y"),
        ("|" + "a|" * 60 + "\n|" + "-|" * 60 + "\n" + "x\n" * 40, "│"),
        ("x\n\n" * 2000 + "the end", "the end"),
        ("# x\n" * 1000 + "# the end", "the end"),
        ("- x\n" * 2000, "• x"),
        ("> " * 500 + "x", "x"),
        ("![" * 30_000, "!["),
        ("http://a." * 9_000, "http://a."),
        ("*a" * 20_000, "aaa"),
        ("x" * 150_000, "x"),
        ("```python\n" + "x = 1\n" * 5000 + "y = 2\n```\n", "y = 2"),
        ("```python\n" + "(" * 100_000, "("),
    ],
    ids=[
        *("table", "filling table", "paragraphs", "headings", "list", "quotes"),
        *("images", "addresses", "stars", "line", "code", "line of code"),
    ],
)
async def test_an_answer_of_any_shape_is_one_widget_and_is_drawn_to_its_end(
    hostile: str, end: str
) -> None:
    pieces = [TextPiece(hostile[at : at + 30_000]) for at in range(0, len(hostile), 30_000)]
    router = FakeRouter(network(), [*pieces, Finished("stop")])
    async with opened(router) as screen:
        await screen.ask("Go")
        await screen.until_shown("✓ llama3.2:3b")
        assert drawn(screen).endswith(end) or end in drawn(screen)[-200:]
        assert not screen.app.screen.query_one(AnswerMarkdown).children
        assert len(list(screen.app.screen.walk_children())) < 150


async def test_html_and_generics_survive() -> None:
    said = "Use `List<String>` or List<String>.\n\n<think>hidden?</think>\n\n<b>bold?</b>"
    router = FakeRouter(network(), [TextPiece(said), Finished("stop")])
    async with opened(router) as screen:
        await screen.ask("Go")
        await screen.until_shown("or List<String>.", "<think>hidden?</think>", "<b>bold?</b>")


LINKS = "[click](https://example.com/a?b=c) and [local](%66ile:///etc/passwd)"


async def test_a_link_shows_its_target_and_opens_nothing_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened_urls: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url, *_, **__: opened_urls.append(url))
    monkeypatch.setenv("DISPLAY", ":0")
    router = FakeRouter(network(), [TextPiece(LINKS), Finished("stop")])
    async with opened(router) as screen:
        await screen.ask("Go")
        await screen.until_shown("✓ llama3.2:3b", "click and local")
        row = next(y for y, line in enumerate(screen.text.split("\n")) if "click and" in line)
        column = screen.text.split("\n")[row].index("click")
        await screen.pilot.click(offset=(column + 1, row))
        await screen.until_shown("Link to example.com", "https://example.com/a?b=c")
        assert opened_urls == []
        await screen.press("o")
        await screen.until(lambda: opened_urls, "opened")
        assert opened_urls == ["https://example.com/a?b=c"]

        await screen.pilot.click(offset=(column + len("click and lo"), row))
        await screen.until_shown("Not a web address", "%66ile:///etc/passwd")
        await screen.press("o")
        assert "Not a web address" in screen.text, "there is no way to open it"
        await screen.press("c")
        await screen.until_gone("Not a web address")
        assert screen.app.clipboard == "%66ile:///etc/passwd"
    assert len(opened_urls) == 1


async def test_without_a_desktop_a_link_can_only_be_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    router = FakeRouter(network(), [TextPiece("https://example.com/"), Finished("stop")])
    async with opened(router) as screen:
        await screen.ask("Go")
        await screen.until_shown("✓ llama3.2:3b")
        row = next(y for y, line in enumerate(screen.text.split("\n")) if "https://ex" in line)
        await screen.pilot.click(offset=(8, row))
        await screen.until_shown("Link to example.com", "Copy it")
        assert "Open it" not in screen.text


@pytest.mark.parametrize(
    ("link", "may_open"),
    [
        ("https://example.com/x", True),
        ("http://127.0.0.1:8000", True),
        ("file:///etc/passwd", False),
        ("vscode://x", False),
        ("javascript:alert(1)", False),
        ("note", False),
        ("https://", False),
        ("https://user@evil.example", False),
        ("https://exa\x1bmple.com", False),
        ("https://[bad", False),
        ("https://example.com/" + "x" * 3000, False),
    ],
)
def test_which_links_may_be_opened(link: str, may_open: bool) -> None:
    assert is_web_address(link) is may_open
