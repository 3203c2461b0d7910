"""The built-in model, for tests that need it."""

import os

import pytest

from idleclaw_tui.local.engine import Engine, EngineMissing, find_model

HELLO = [{"role": "user", "content": "Say hello"}]

# An answer that cannot end by itself before its limit.
ENDLESS = {"type": "array", "items": {"type": "integer"}, "minItems": 1500}


def engine_or_skip() -> Engine:
    try:
        return Engine(find_model())
    except EngineMissing as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))
