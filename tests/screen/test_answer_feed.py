"""How a growing answer is cut into settled parts and its growing end."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from idleclaw_tui.answer_feed import (
    MAX_OPEN,
    MAX_PIECE,
    AnswerFeed,
    CodePart,
    MarkdownPart,
    Part,
    PlainPart,
    in_pieces,
    whole,
)
from idleclaw_tui.code_blocks import CodeBlock, code_block, code_blocks, is_code
from idleclaw_tui.widgets.markdown_blocks import part_blocks

ANSWER = """# Title

Some *text* with a [link](https://example.com).

- one
- two
  - nested

```py
x = 1

y = 2
```

| a | b |
|---|--:|
| 1 | 2 |

> quoted
> text

1. first

2. second

~~~
open"""

MARKDOWN = st.lists(
    st.sampled_from(
        [
            *("# Title\n", "word ", "*em*", "`code`", "\n", "\n\n", "- item\n", "  - nested\n"),
            *("1. one\n", "> quote\n", "```\n", "```py\n", "~~~\n", "    code\n", "|a|b|\n"),
            *("|-|-|\n", "---\n", "[x](http://y)", "![", "&lt;", "<b>", "\\", "\t", "é", "漢"),
        ]
    ),
    max_size=30,
).map("".join)


def shown(parts: list[Part], width: int = 60) -> list[str]:
    """Return the text of all lines."""
    lines: list[str] = []
    for part in parts:
        begins = not isinstance(part, CodePart) or part.begins
        if lines and begins:
            lines.append("")
        for block in part_blocks(part):
            lines += [line.copied.rstrip() for line in block.lines(width)]
    return lines


def fed(text: str, cuts: list[int]) -> tuple[list[Part], Part | None]:
    """Return what a feed makes of a text that comes cut at `cuts`, and its end."""
    feed = AnswerFeed()
    parts: list[Part] = []
    for cut in [*sorted(cut % (len(text) + 1) for cut in cuts), len(text)]:
        parts += feed.feed(text[:cut])
    return parts, feed.open


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1000])
def test_an_answer_in_pieces_looks_like_the_whole(size: int) -> None:
    parts, ending = fed(ANSWER, list(range(size, len(ANSWER), size)))
    assert shown([*parts, *([ending] if ending else [])]) == shown([whole(ANSWER)])


@given(MARKDOWN, st.lists(st.integers(min_value=0), max_size=8))
def test_any_text_cut_anywhere_is_shown(text: str, cuts: list[int]) -> None:
    parts, ending = fed(text, cuts)
    shown([*parts, *([ending] if ending else [])], width=7)


@settings(max_examples=200)
@given(st.text(), st.lists(st.integers(min_value=0), max_size=4), st.integers(1, 30))
@example("\r0", [], 1)
def test_any_characters_are_shown(text: str, cuts: list[int], width: int) -> None:
    parts, ending = fed(text, cuts)
    for part in [*parts, *([ending] if ending else []), whole(text)]:
        for block in part_blocks(part):
            for number, line in enumerate(block.lines(width)):
                rows = list(line.rows(width, number))
                assert [row.start for row in rows[1:]] == [row.end for row in rows[:-1]]
                assert rows[-1].end == len(line.content)


@given(MARKDOWN)
def test_code_has_the_numbers_by_which_it_is_copied(text: str) -> None:
    part = whole(text)
    assert isinstance(part, MarkdownPart)
    drawn = [
        code_block(token, number) for number, token in enumerate(filter(is_code, part.tokens), 1)
    ]
    assert drawn == code_blocks(text)


def test_settled_parts_are_not_read_again() -> None:
    feed = AnswerFeed()
    first = feed.feed("One.\n\nTwo.\n\nThr")
    assert shown(first) == ["One."]
    assert feed.open is not None
    assert shown([feed.open]) == ["Two.", "", "Thr"]
    assert shown(feed.feed("One.\n\nTwo.\n\nThree.\n")) == ["Two."]
    assert feed.open is not None
    assert shown([feed.open]) == ["Three."]


def test_an_open_fence_is_plain_until_it_closes() -> None:
    feed = AnswerFeed()
    assert feed.feed("Text.\n\n```py\nx = [\n") != []
    assert feed.open == CodePart(CodeBlock(1, "py", "x = ["), begins=True, ends=False)
    [part] = feed.feed("Text.\n\n```py\nx = [\n]\n```\n")
    assert part == CodePart(CodeBlock(1, "py", "x = [\n]"), begins=True, ends=True)
    feed.feed("Text.\n\n```py\nx = [\n]\n```\nMore.\n\n```\n")
    assert isinstance(feed.open, CodePart)
    assert feed.open.code.number == 2


def test_a_line_that_looks_like_the_end_of_a_fence_is_waited_for() -> None:
    text = "````\n``` no end\n````\n"
    parts, ending = fed(text, list(range(len(text))))
    assert parts == [CodePart(CodeBlock(1, "", "``` no end"), begins=True, ends=True)]
    assert ending is None


def test_the_end_of_a_fence_is_no_code_while_its_line_may_still_grow() -> None:
    feed = AnswerFeed()
    feed.feed("```\ncode\n```")
    assert feed.open == CodePart(CodeBlock(1, "", "code"), begins=True, ends=False)
    feed.feed("```\ncode\n```  ")
    assert feed.open == CodePart(CodeBlock(1, "", "code"), begins=True, ends=False)
    feed.feed("```\ncode\n```  x\n")
    assert feed.open == CodePart(CodeBlock(1, "", "code\n```  x"), begins=True, ends=False)
    assert feed.feed("```\ncode\n```  x\n```\n") == [
        CodePart(CodeBlock(1, "", "code\n```  x"), begins=True, ends=True)
    ]


def test_long_code_is_settled_in_pieces() -> None:
    text = "```\n" + "".join(f"line {number}\n" for number in range(500)) + "```\n"
    parts, _ = fed(text, list(range(0, len(text), 300)))
    assert len(parts) > 3
    assert [isinstance(part, CodePart) and part.begins for part in parts].count(True) == 1
    assert shown(parts) == shown([whole(text)])


@pytest.mark.parametrize("unit", ["- item\n", "word ", "x", "|a|b|\n", "> q\n", "1. *x*\n"])
def test_a_huge_block_is_settled_in_pieces(unit: str) -> None:
    feed = AnswerFeed()
    text = ""
    settled = 0
    for _ in range(20):
        text += unit * (1000 // len(unit))
        settled += len(feed.feed(text))
    assert settled >= 20_000 // (MAX_OPEN + 2000)


def test_a_flood_is_read_in_bounded_pieces_and_nothing_is_lost() -> None:
    text = "".join(f"Paragraph {number}.\n\n" for number in range(9_000))
    first = AnswerFeed().feed(text)
    assert 0 < len("".join(shown(first))) <= MAX_PIECE
    assert shown(list(in_pieces(text))) == shown([whole(text)])


@pytest.mark.parametrize("hostile", ["```" + " " * 100_000, "```\n```" + " " * 100_000 + "x"])
def test_no_line_holds_up_the_rest(hostile: str) -> None:
    parts = list(in_pieces(f"{hostile}\n\nthe end\n"))
    assert "the end" in "\n".join(shown(parts))


def test_what_is_too_costly_to_read_is_plain() -> None:
    hostile = "![" * 5_000
    assert list(in_pieces(hostile)) == [PlainPart(hostile)]
    nested = "> " * 30 + "deep"
    assert list(in_pieces(nested)) == [PlainPart(nested)]
