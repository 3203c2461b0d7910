"""What a person gave on the command line or stdin, checked before anything is sent."""

from typing import Final, TextIO

from idleclaw_protocol.limits import MAX_MESSAGE_CHARS, MAX_MODEL_NAME_CHARS
from idleclaw_protocol.model_names import is_model_name
from idleclaw_tui.errors import UsageError

STDIN: Final = "-"


def read_prompt(given: str, stdin: TextIO) -> str:
    """Return the prompt; `-` stands for all of `stdin`, of which at most 10,001 characters are
    read, without the line ends at its end.

    Raises `UsageError` where stdin is not text.
    """
    if given != STDIN:
        return given
    try:
        return stdin.read(MAX_MESSAGE_CHARS + 1).rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UsageError("What came on stdin is not UTF-8 text. Nothing was sent.") from error


def check_prompt(prompt: str) -> None:
    """Raise `UsageError` for a prompt that no router would take."""
    if not prompt.strip():
        raise UsageError("The prompt is empty. Give one with --prompt TEXT, or on stdin with -.")
    if len(prompt) > MAX_MESSAGE_CHARS:
        raise UsageError(
            f"The prompt has more than {MAX_MESSAGE_CHARS:,} characters, which is all a router "
            "takes. Nothing was sent."
        )
    if not _is_unicode(prompt):
        raise UsageError("The prompt is not UTF-8 text. Nothing was sent.")


def check_model_name(name: str) -> None:
    """Raise `UsageError` for a name that Ollama would not allow."""
    if not is_model_name(name):
        raise UsageError(
            f"{name[:80]!a} is no model name. Names are like llama3.2:3b or "
            "hf.co/user/model:Q4_K_M: letters, digits and _ . - in parts divided by / and one : "
            f"before the tag, at most {MAX_MODEL_NAME_CHARS} characters."
        )


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)
