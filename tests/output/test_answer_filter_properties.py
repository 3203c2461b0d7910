"""What holds for every text, however it is cut."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from idleclaw_protocol.text_safety import clean, is_unsafe
from idleclaw_server.answer_filter import MAX_BRACKETS, AnswerFilter
from tests.output.filtering import cut, filtered, markdown, rendered_tags


@given(markdown, st.lists(st.integers(0, 400), max_size=12))
@example("<scr<b>ipt>", [3, 5])
@example("```\n<b>\n```<i>", [1, 2, 3])
def test_cutting_elsewhere_changes_nothing(text: str, places: list[int]) -> None:
    """A7: any chunking equals the whole."""
    whole = filtered([text])
    assert filtered(cut(text, places)) == whole
    assert filtered(text) == whole


@given(markdown)
@example("`\n- <b>`")
@example('<foo a="`"><b>`')
@example("<https://x.`><b>`")
@example("> ```\n<script>")
@example("- a\n  ```\nx\n```\n```\n<script>")
@example("``<b>`x`")
@example("1<b>. ```\n```\n<script>")
@example("<foo>\n~~~\n<b>")
@example("<?\n\n~~~\n<b>?>")
def test_a_markdown_renderer_finds_no_known_tag_in_what_is_delivered(text: str) -> None:
    """A7: no tag of a known element reaches a consumer outside code."""
    assert rendered_tags(filtered([text])) == []


@given(markdown)
def test_nothing_comes_into_being_by_what_is_taken_out(text: str) -> None:
    """A7: what is delivered holds nothing that would be taken out of it."""
    once = filtered([text])
    assert filtered([once]) == once


@given(markdown)
def test_no_control_character_is_delivered(text: str) -> None:
    """A7: no C0 but tab and newline, no ESC, C1, DEL, bidirectional control or tag character."""
    assert is_unsafe(filtered([text])) is None


@given(st.text(), st.lists(st.integers(0, 400), max_size=12))
def test_text_without_angle_brackets_only_loses_controls(text: str, places: list[int]) -> None:
    text = text.replace("<", "")
    assert filtered(cut(text, places)) == clean(text)


@given(st.text(st.characters(exclude_characters="`\r", exclude_categories=["C"]) | st.just("\n")))
def test_what_is_inside_a_fenced_block_arrives_as_it_was(text: str) -> None:
    text = clean(text)
    assert filtered(f"```html\n{text}\n```\nend") == f"```html\n{text}\n```\nend"


@given(markdown)
def test_text_is_only_held_from_an_angle_bracket_on(text: str) -> None:
    answer = AnswerFilter()
    seen = ""
    delivered = ""
    for char in text.replace("<tool_call>", ""):
        seen += char
        delivered += answer.decode(char)
        if "<" not in seen:
            assert delivered == clean(seen)


@settings(max_examples=25)
@given(markdown, st.lists(st.integers(0, 400), max_size=6))
def test_behind_many_brackets_that_all_wait_for_the_end_nothing_begins(
    text: str, places: list[int]
) -> None:
    """A9: a node that leaves in the middle of ten such answers ends them all in one moment."""
    waiting = "<!--" + "<b>" * 100
    whole = filtered([waiting + text])
    assert filtered([waiting, *cut(text, places)]) == whole
    assert rendered_tags(whole) == []
    assert filtered([waiting]).endswith("< b>" * 30)


@settings(max_examples=25)
@given(st.integers(0, 3), markdown, st.lists(st.integers(0, 400), max_size=6))
def test_behind_very_many_brackets_nothing_begins(left: int, text: str, places: list[int]) -> None:
    """A9: deciding about each of a hundred thousand would hold up every other stream."""
    many = "<b>" * (MAX_BRACKETS - left)
    whole = filtered([many + text + "<script>"])
    assert filtered([many, *cut(text, places), "<script>"]) == whole
    assert rendered_tags(whole) == []
