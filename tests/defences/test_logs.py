"""What is written to logs, and above all what is not."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idleclaw_protocol.text_safety import is_unsafe
from idleclaw_server.logs import JsonFormatter, PlainFormatter


@contextmanager
def _log(formatter: logging.Formatter) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.Logger("idleclaw_server.some")
    logger.addHandler(handler)
    yield logger, stream


def _fail() -> None:
    try:
        "MARKER \ud800".encode()
    except UnicodeEncodeError:
        raise ValueError("MARKER of the second") from None


@pytest.mark.parametrize("formatter", [PlainFormatter(), JsonFormatter()])
def test_an_exception_is_its_type_and_place_without_its_text(
    formatter: logging.Formatter,
) -> None:
    """A26: an exception's text quotes what could not be handled."""
    with _log(formatter) as (logger, stream):
        try:
            _fail()
        except ValueError:
            logger.exception("it failed")
    text = stream.getvalue()
    assert "it failed" in text
    assert "builtins.ValueError" in text
    assert "builtins.UnicodeEncodeError" in text
    assert "test_logs.py" in text
    assert "_fail" in text
    assert "MARKER" not in text


@given(st.text())
def test_a_line_of_json_is_one_object_whatever_is_said(words: str) -> None:
    """A26: no text can forge a second line."""
    with _log(JsonFormatter()) as (logger, stream):
        logger.warning("said: %s", words)
    text = stream.getvalue()
    assert text.isascii()
    assert text.count("\n") == 1
    line = json.loads(text)
    assert line.keys() == {"time", "level", "logger", "message"}
    assert (line["level"], line["logger"]) == ("WARNING", "idleclaw_server.some")
    assert line["time"].endswith("+00:00")


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_a_plain_line_steers_no_terminal(words: str) -> None:
    """A26: whoever reads the log in a terminal sees text alone."""
    with _log(PlainFormatter()) as (logger, stream):
        logger.warning("said: %s", words)
    assert is_unsafe(stream.getvalue()) is None
