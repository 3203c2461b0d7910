"""Coverage-guided fuzzing of all targets, with libFuzzer's own options.

`uv run --with atheris python -m tests.fuzzing -max_total_time=600 -max_len=2000`
"""

import sys
from importlib import import_module
from typing import Any

atheris: Any = import_module("atheris")

with atheris.instrument_imports(include=["idleclaw_protocol", "idleclaw_server", "idleclaw_tui"]):
    from tests.fuzzing.targets import one_input


def _decodable(data: bytes) -> None:
    try:
        data[1:].decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        data = data[:1] + data[1:].decode("latin-1").encode()
    one_input(data)


atheris.Setup(sys.argv, _decodable)
atheris.Fuzz()
