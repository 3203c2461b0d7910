"""The answer filter by example: what goes, what stays, what waits."""

import pytest

from idleclaw_server.answer_filter import MAX_CALL_CHARS, AnswerFilter
from idleclaw_server.markup import MAX_HELD
from tests.output.filtering import filtered

_GOES = {
    "a script with its content": ("a<script>alert(1)</script>b", "ab"),
    "a style with its content": ("a<style>p{}</style>b", "ab"),
    "uppercase": ("a<SCRIPT>x</ScRiPt >b", "ab"),
    "a script with attributes": ('<script async src="x>y">z</script>b', "b"),
    "markup inside a script": ("<script>'<b>'</script>b", "b"),
    "an element": ("a <b>bold</b> word", "a bold word"),
    "attributes": ('<a href="https://x">y</a>', "y"),
    "unquoted attributes": ("<img src=x onerror=alert(1)>y", "y"),
    "an event handler alone": ("<img onerror>y", "y"),
    "a slash for a space": ("<img/src=x/onerror=y>z", "z"),
    "> in double quotes": ('<img alt=">" onerror="x">y', "y"),
    "> in single quotes": ("<img alt='a>b'>y", "y"),
    "quotes side by side": ("<img alt='a'src=\"b\">y", "y"),
    "newlines in a tag": ("<img\n src=x\n>y", "y"),
    "a self-closing element": ("a<hr/>b", "ab"),
    "a line break": ("a<br>b<br/>c", "a b c"),
    "a closing tag alone": ("a</div>b", "ab"),
    "a closing tag with blanks": ("a</div >b", "ab"),
    "an embedded page": ("<iframe srcdoc='<b>'></iframe>x", "x"),
    "foreign content": ("<svg onload=x><animate></svg>y", "y"),
    "a comment": ("a<!-- <b> - -- > -->b", "ab"),
    "an empty comment": ("a<!-->b<!--->c", "abc"),
    "a comment of many lines": ("a<!--\n\nx\n-->b", "ab"),
    "a document type": ("<!DOCTYPE html>x", "x"),
    "a call": ('a<tool_call>{"name": "x"}</tool_call>b', "ab"),
    "a call with blanks": ("a<tool_call>\n {}\n</tool_call >b", "ab"),
    "an uppercase call": ("a<TOOL_CALL>{}</Tool_Call>b", "ab"),
    "an unclosed call": ('a<tool_call>{"name": "x"}', "a"),
    "a call inside another": ("<tool_call>{<tool_call>{}</tool_call>a</tool_call>b", "ab"),
    "brackets before a call": ("<<tool_call>{}</tool_call>b", "< b"),
    "a tag inside a tag's name": ("<scr<b>ipt>x", "< script>x"),
    "a comment inside a tag's name": ("<scr<!-- -->ipt>x", "< script>x"),
    "a call inside a tag's name": ("<scr<tool_call>{}</tool_call>ipt>x", "< script>x"),
    "a tag behind an opening bracket": ("<<b>script>x", "< script>x"),
    "a tag in an unknown element": ("<foo <script>x</script>>", "<foo >"),
    "a tag in an attribute of an unknown element": ('<foo a="<img src=x>">', '<foo a="">'),
    "a tag in indented code": ("    <b>x</b>", "    x"),
    "a tag behind an escaped backtick": ("\\`<b>x\\`", "\\` x\\`"),
    "a tag behind a lonely backtick": ("it`s <b>x", "it`s x"),
    "a tag between unequal backticks": ("``<b>`", "`` `"),
    "inline code that crosses lines": ("`<b>\n`", "` \n`"),
    "a control inside a tag": ("<scr\x00ipt>x</script>y", "y"),
    "an escape sequence inside a tag": ("<scr\x1b[0mipt>x</script>y", "y"),
}
_STAYS = [
    "a < b and b > c",
    "1<2, 2>1",
    "x<y && y>z",
    "a <= b, a <- b, a <> b, a << b",
    "List<String>, Map<String, List<Integer>>, vector<int>",
    "std::vector<std::string>",
    "<your-name> and <YOUR_KEY>",
    "mail <someone@example.org> or see <https://example.org/b>",
    "<think>hm</think>",
    "&lt;script&gt; &amp;",
    "I <3 you",
    "if (a<b) return",
    "<bold> <image2> <b-x> <b_>",
    "<<<<<<< HEAD\n=======\n>>>>>>> main",
    "use `<b>` and `` `<i>` `` and ```<u>```",
    "`<script>alert(1)</script>`",
    "`a < b` `c`<",
    "```html\n<!DOCTYPE html>\n<b>`x`</b>\n~~~\n``\n```",
    "~~~\n<b>\n```\n<i>\n~~~",
    "````\n```\n<b>\n```\n````",
    "```<b>\n<i>\n```",
    "text\n```\n<b>\n```",
    "- item\n  ```html\n  <b>\n\n  <i>\n  ```\n",
    "1. item\n\n   ```html\n   <b>\n   ```\n2. `<i>`",
    "- a\n  - b\n\n    ```\n    <b>\n    ```",
    "> ```\n> <b>\n> ```",
    "```\n<b>never closed",
    "```\n" + " " * 200 + "<b>\n```",
    "\t<x>\ttab",
]


@pytest.mark.parametrize(("text", "expected"), _GOES.values(), ids=_GOES)
def test_what_goes(text: str, expected: str) -> None:
    """A7: markup never reaches a consumer, whole or in pieces."""
    assert filtered([text]) == expected
    assert filtered(text) == expected


@pytest.mark.parametrize("text", _STAYS)
def test_what_stays(text: str) -> None:
    text = text.removesuffix("<")
    assert filtered([text]) == text
    assert filtered(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("```\n<b>\n```\n<b>x", "```\n<b>\n```\nx", id="behind a fence"),
        pytest.param("```a`\n<b>x", "```a`\nx", id="a fence with a backtick behind it is none"),
        pytest.param("x ```\n<b>x", "x ```\nx", id="a fence inside a line is none"),
        pytest.param("```\n<b>\n``\n<i>", "```\n<b>\n``\n<i>", id="too short a closing fence"),
        pytest.param("```\n<b>\n``` x\n<i>", "```\n<b>\n``` x\n<i>", id="text behind it"),
        pytest.param("> ```\n> <b>\n<i>x", "> ```\n> <b>\nx", id="a quotation's end"),
        pytest.param("- ```\n  <b>\n<i>x", "- ```\n  <b>\nx", id="a list's end"),
        pytest.param("a `b\n\n`<b>`", "a `b\n\n`<b>`", id="a lonely backtick's paragraph is over"),
        pytest.param("a `b\nc `<b>`", "a `b\nc ` `", id="a lonely backtick's paragraph goes on"),
    ],
)
def test_where_code_ends(text: str, expected: str) -> None:
    """A7: nothing that is no code passes for code."""
    assert filtered([text]) == expected
    assert filtered(text) == expected


def test_text_goes_on_at_once_where_no_tag_is_open() -> None:
    answer = AnswerFilter()
    pieces = ["Hello", " a", " <", " b", " <y", "our", "-name>", " `", "x", "` ", "```", "py\n"]
    delivered = [answer.decode(piece) for piece in pieces]
    assert delivered == ["Hello", " a", " ", "< b", " <y", "our", "-name>", *pieces[7:]]


def test_a_possible_tag_is_held_until_it_is_decided() -> None:
    answer = AnswerFilter()
    assert answer.decode("a <scr") == "a "
    assert answer.decode("ipt") == ""
    assert answer.decode("ure> b") == "<scripture> b"
    assert answer.decode(" <b") == " "
    assert answer.decode(">c") == "c"


def test_inline_code_is_held_from_its_first_tag_to_its_end() -> None:
    answer = AnswerFilter()
    assert answer.decode("a `x <b") == "a `x "
    assert answer.decode("> y") == ""
    assert answer.decode("` z") == "<b> y` z"


def test_a_comparison_that_looks_like_a_tag_gets_a_space_after_64_characters() -> None:
    answer = AnswerFilter()
    text = "if a <b and then it goes on and on for a while without any sign of attributes"
    assert answer.decode(text) == text.replace("<b", "< b")


def test_a_tag_longer_than_the_bound_becomes_text() -> None:
    """A7: what is held is bounded, and what is over the bound is no tag for anybody."""
    text = '<img src="' + "x" * MAX_HELD + '">'
    answer = AnswerFilter()
    pieces = [answer.decode(text[at : at + 100]) for at in range(0, len(text), 100)]
    assert max(map(len, pieces)) <= MAX_HELD + 100
    assert "".join(pieces) == text.replace("<img", "< img") == filtered([text])


def test_a_script_that_does_not_close_costs_its_tag_and_no_text() -> None:
    story = "The <script> tag is old. " + "It has a long story. " * 300
    assert filtered([story]) == story.replace("<script>", "")
    assert filtered(["Use the <script> tag."]) == "Use the  tag."


def test_a_remark_about_the_call_tag_costs_the_tag_alone() -> None:
    assert filtered("The <tool_call> tag holds JSON.") == "The  tag holds JSON."
    assert filtered("The <tool_call>") == "The "


@pytest.mark.parametrize(
    "text", ["a <", "a </", "a <b", "a <!-", "a <img src='x", "a <!-- x", "<<b"]
)
def test_what_is_undecided_at_the_end_is_delivered_and_cannot_go_on_elsewhere(text: str) -> None:
    """A7: the next round of the same answer must not complete a tag."""
    before, _, after = text.rpartition("<")
    assert filtered([text]) == f"{before}< {after}"


def test_calls_are_kept_for_whoever_runs_them() -> None:
    answer = AnswerFilter()
    for char in 'x<tool_call>{"a": 1}</tool_call>y<tool_call>[2]</tool_call><tool_call>{"b":':
        answer.decode(char)
    assert answer.calls == ['{"a": 1}', "[2]"]
    answer.flush()
    assert answer.calls == ['{"a": 1}', "[2]", '{"b":']


def test_too_many_calls_and_too_long_ones_are_not_kept() -> None:
    """A22: what a node can make the router keep is bounded."""
    answer = AnswerFilter()
    for _ in range(40):
        answer.decode("<tool_call>{}</tool_call>")
    assert len(answer.calls) == 16
    answer = AnswerFilter()
    answer.decode("<tool_call>{" + "x" * MAX_CALL_CHARS + "}</tool_call>")
    assert answer.decode("after") == "after"
    assert answer.calls == []
