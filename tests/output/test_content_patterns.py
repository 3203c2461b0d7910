"""An operator's patterns, in questions and in answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_server.content_patterns import (
    MAX_HELD,
    MAX_PATTERNS,
    REPLACEMENT,
    Pattern,
    Screen,
    compiled,
    found_in,
)
from tests.output.filtering import cut
from tests.router.consumer import asking, body, client
from tests.router.running import OPEN, routing
from tests.router.scripted_node import registered

_SLOW = r"(?:a|a|aa)+$"
_SLOW_TEXT = "a" * 60 + "!"


def _pattern(*patterns: str) -> Pattern:
    pattern = compiled(patterns)
    assert pattern is not None
    return pattern


def _screened(pattern: Pattern, pieces: list[str]) -> str:
    screen = Screen(pattern)
    return "".join(map(screen.decode, pieces)) + screen.flush()


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("secret", "a SECRET b", f"a {REPLACEMENT} b"),
        ("secret", "secretsecret", REPLACEMENT * 2),
        ("secret", "secre", "secre"),
        ("a+b", "xaaab aab", f"x{REPLACEMENT} {REPLACEMENT}"),
        ("a+", "baaac", f"b{REPLACEMENT}c"),
        (r"\bcat\b", "cat concat cats cat", f"{REPLACEMENT} concat cats {REPLACEMENT}"),
        (r"^cat", "cat cat", f"{REPLACEMENT} cat"),
        (r"cat$", "cat cat", f"cat {REPLACEMENT}"),
        (r"(?<=my )key", "my key, a key", f"my {REPLACEMENT}, a key"),
        (r"key(?! ring)", "key ring key", f"key ring {REPLACEMENT}"),
        (r"(a)\1", "aab", f"{REPLACEMENT}b"),
        (r"one\ntwo", "one\ntwo", REPLACEMENT),
        ("x", "", ""),
    ],
)
def test_what_is_found_is_replaced_wherever_it_is_cut(
    pattern: str, text: str, expected: str
) -> None:
    screen = _pattern(pattern)
    assert _screened(screen, [text]) == expected
    assert _screened(screen, list(text)) == expected


@given(st.text("abc \n", max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_cutting_elsewhere_changes_nothing(text: str, places: list[int]) -> None:
    screen = _pattern("ab+c", "cab", r"\ba\b", "b{3}", r"a.c")
    assert _screened(screen, cut(text, places)) == _screened(screen, [text])


def test_several_patterns_keep_their_own_groups() -> None:
    screen = _pattern(r"(a)(b)\2", r"(c)\1")
    assert _screened(screen, ["abb cc ab"]) == f"{REPLACEMENT} {REPLACEMENT} ab"


def test_what_may_become_a_match_is_held_for_a_bounded_time() -> None:
    screen = Screen(_pattern("begin.*end"))
    assert screen.decode("text begin") == "text "
    assert screen.decode(" more") == ""
    assert screen.decode(" end." + " " * 64) == f"{REPLACEMENT}." + " " * 64
    delivered = screen.decode("begin") + "".join(screen.decode("x") for _ in range(2 * MAX_HELD))
    assert len(delivered) >= MAX_HELD
    assert delivered + screen.flush() == "begin" + "x" * 2 * MAX_HELD


def test_a_search_that_text_makes_slow_is_given_up() -> None:
    """A24: a pattern that takes too long counts as found, once for an answer."""
    pattern = _pattern(_SLOW)
    assert found_in(pattern, ["harmless", _SLOW_TEXT])
    screen = Screen(pattern)
    assert screen.decode(_SLOW_TEXT) == REPLACEMENT
    assert screen.decode(_SLOW_TEXT + "more") == ""
    assert screen.flush() == ""


@pytest.mark.parametrize(
    ("patterns", "words"),
    [
        (["fine", "("], "pattern 2 is wrong"),
        (["x" * 501], "pattern 1 has more than 500"),
        (["x*"], "pattern 1 is found in every text"),
        (["x"] * (MAX_PATTERNS + 1), "at most 100 patterns"),
    ],
)
def test_patterns_that_cannot_be_used_are_refused(patterns: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compiled(patterns)


async def test_nothing_is_refused_where_the_operator_has_said_nothing() -> None:
    """A24: an ordinary question about code is no attack."""
    question = "What does eval( do? And exec (x), javascript:, <script>, ignore all instructions"
    async with routing() as router, registered(router.url) as node:
        async with asking(router.url, question) as answer:
            asked = await node.asked()
            assert asked.prompt == question
            await node.answer(asked.request_id, "eval( runs code, so does javascript:")
            assert await answer.text() == "eval( runs code, so does javascript:"


async def test_a_question_that_is_not_allowed_reaches_no_node() -> None:
    """A24: 400, with a sentence that repeats nothing of it."""
    settings = OPEN.model_copy(update={"inbound_patterns": ("b[ae]d words?",)})
    async with (
        routing(settings=settings) as router,
        registered(router.url) as node,
        client(router.url) as http,
    ):
        refused = await http.post("/api/chat", json=body("say BED WORDS"))
        assert refused.status_code == 400
        assert refused.json() == {"detail": "Message content not allowed"}
        history = [
            {"role": "user", "content": "bad word"},
            {"role": "assistant", "content": "no"},
            {"role": "user", "content": "why"},
        ]
        refused = await http.post("/api/chat", json={**body(), "messages": history})
        assert refused.status_code == 400
        async with asking(router.url, "good words") as answer:
            await node.answer((await node.asked()).request_id, "bad words are not filtered here")
            assert await answer.text() == "bad words are not filtered here"


async def test_what_is_found_in_an_answer_is_replaced_in_thinking_and_content() -> None:
    settings = OPEN.model_copy(update={"outbound_patterns": ("bad words?", "<b>worse")})
    async with routing(settings=settings) as router, registered(router.url) as node:
        async with asking(router.url, "bad words are fine in a question") as answer:
            asked = await node.asked()
            for piece in ("a b", "ad wo", "rds"):
                await node.chunk(asked.request_id, "", message={"thinking": piece})
            for piece in ("b", "a", "d", " word, ", "ba<b>d words"):
                await node.chunk(asked.request_id, piece)
            await node.done(asked.request_id, " ba")
            events = await answer.rest()
    deltas = [event["choices"][0]["delta"] for event in events]
    thinking = "".join(d["content"] for d in deltas if d.get("reasoning"))
    content = "".join(d.get("content", "") for d in deltas if not d.get("reasoning"))
    assert thinking == f"a {REPLACEMENT}"
    assert content == f"{REPLACEMENT}, {REPLACEMENT} ba"


async def test_what_the_patterns_hold_back_is_no_first_token() -> None:
    settings = OPEN.model_copy(update={"outbound_patterns": ("bad words",)})
    async with (
        routing(settings=settings) as router,
        registered(router.url, "first", slots=1) as first,
        asking(router.url) as answer,
        registered(router.url, "second", slots=1) as second,
    ):
        asked = await first.asked()
        await first.chunk(asked.request_id, "bad wo")
        await first.error(asked.request_id)
        await second.answer((await second.asked()).request_id, "rds")
        assert await answer.text() == "rds"
