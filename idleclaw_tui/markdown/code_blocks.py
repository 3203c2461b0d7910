"""The code in an answer, numbered as the screen numbers it."""

from dataclasses import dataclass
from typing import Final

from markdown_it.token import Token

from idleclaw_tui.markdown.parser import block_tokens

MAX_LANGUAGE: Final = 20
_CODE: Final = frozenset(("fence", "code_block"))


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fence, or an indented block of code; `number` counts from 1 within the answer.

    `language` is what the fence says, "" where it says nothing. `text` ends without a newline.
    """

    number: int
    language: str
    text: str


def code_blocks(text: str) -> list[CodeBlock]:
    """Return the blocks of code of an answer, in order; one that is still open counts too."""
    code = (token for token in block_tokens(text) if is_code(token))
    return [code_block(token, number) for number, token in enumerate(code, 1)]


def is_code(token: Token) -> bool:
    """Return whether `token` is a block of code."""
    return token.type in _CODE


def code_block(token: Token, number: int) -> CodeBlock:
    """Return the block of code that `token` stands for."""
    words = token.info.split()
    return CodeBlock(number, words[0][:MAX_LANGUAGE] if words else "", token.content.rstrip())
