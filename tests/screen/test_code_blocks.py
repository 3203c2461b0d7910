"""The numbered code of an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_tui.markdown.code_blocks import CodeBlock, code_blocks

TEXT = """Some words.

```rust title="x"
fn main() {
    let x = "```";
}
```

1. First:
   ~~~
   nested
   ~~~

    not code, part of the list

> ```py
> quoted
> ```

Then

    indented

```
open to the end
"""

LINES = st.text(alphabet="ab <[]()*_x=1", min_size=1, max_size=12).filter(str.strip)
LANGUAGES = st.sampled_from(["", "py", "c++", "rust", "Dockerfile"])
BLOCKS = st.tuples(LANGUAGES, st.lists(LINES, min_size=1, max_size=5))


def test_every_kind_of_block_is_found_in_order() -> None:
    assert code_blocks(TEXT) == [
        CodeBlock(1, "rust", 'fn main() {\n    let x = "```";\n}'),
        CodeBlock(2, "", "nested"),
        CodeBlock(3, "py", "quoted"),
        CodeBlock(4, "", "indented"),
        CodeBlock(5, "", "open to the end"),
    ]


@given(st.lists(BLOCKS, max_size=6), st.sampled_from(["```", "~~~", "`````"]))
def test_fences_come_back_as_they_were_written(
    blocks: list[tuple[str, list[str]]], fence: str
) -> None:
    written = "Text.\n\n".join(
        f"{fence}{language}\n" + "\n".join(lines) + f"\n{fence}\n" for language, lines in blocks
    )
    expected = [
        CodeBlock(number, language, "\n".join(lines).rstrip())
        for number, (language, lines) in enumerate(blocks, 1)
    ]
    assert code_blocks(written) == expected


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    numbers = [block.number for block in code_blocks(text)]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("hostile", ["[" * 200_000, "![" * 100_000, "> " * 100_000, "`" * 200_000])
def test_hostile_text_takes_no_time(hostile: str) -> None:
    assert code_blocks(hostile) in ([], [CodeBlock(1, "", "")])
