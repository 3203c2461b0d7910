"""The process in which llama.cpp runs; started by `engine.py`, never by hand.

One JSON line on stdin says what to load, one JSON line on stdout answers: `{"url": ...}` of
llama.cpp's own HTTP server, or `{"error": ...}`. The end of stdin ends the process at once, so it
never outlives its parent, however that died.
"""

import json
import os
import signal
import sys
from typing import Any, BinaryIO

_NICENESS = 5


def main() -> None:
    # What Ctrl+C means is for the parent to decide, which shares the terminal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    answers = _take_stdout()
    order = json.loads(sys.stdin.buffer.readline())
    try:
        server = _serve(order)
    except (ImportError, RuntimeError, ValueError, TypeError) as error:
        _answer(answers, {"error": str(error)})
        return
    _answer(answers, {"url": server.listening_address})
    sys.stdin.buffer.read()
    os._exit(0)


def _serve(order: dict[str, Any]) -> Any:
    """A running `xllamacpp.Server`: loopback only, silent, closed to whoever lacks the key."""
    from xllamacpp import CommonParams, Server

    params = CommonParams()
    params.model.path = order["model_path"]
    params.model_alias = {order["model_name"]}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [order["key"]]
    params.cors_origins = ""
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = -1
    params.n_parallel = order["slots"]
    params.n_ctx = order["slots"] * order["context_length"]
    # A running prompt can be cancelled between two batches only.
    params.n_batch = params.n_ubatch = order["batch"]
    params.cpuparams.n_threads = order["threads"]
    params.cpuparams_batch.n_threads = order["threads"]
    params.n_threads_http = order["slots"] + 3
    params.cache_ram_mib = 0
    # Probing how much fits into memory doubles the time to load.
    params.fit_params = False
    return Server(params)


def _take_stdout() -> BinaryIO:
    """Keep stdout for answers: whatever llama.cpp prints there goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def _answer(answers: BinaryIO, line: dict[str, str]) -> None:
    answers.write(json.dumps(line).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
