"""The model file's own words are read, and a broken file is called broken."""

import io
import struct

import pytest

from idleclaw_tui.local.gguf_header import NotGGUF, read_scalars


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def pair(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


PAIRS = [
    pair("general.architecture", 8, text("llama")),
    pair("words", 9, struct.pack("<IQ", 8, 2) + text("one") + text("two")),
    pair("kinds", 9, struct.pack("<IQ", 4, 3) + b"\0" * 12),
    pair("llama.context_length", 4, struct.pack("<I", 8192)),
    pair("epsilon", 12, struct.pack("<d", 0.5)),
    pair("flag", 7, b"\1"),
]


def header(*pairs: bytes, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(pairs)) + b"".join(pairs)


def test_scalars_are_read_and_arrays_skipped() -> None:
    assert read_scalars(io.BytesIO(header(*PAIRS))) == {
        "general.architecture": "llama",
        "llama.context_length": 8192,
        "epsilon": 0.5,
        "flag": True,
    }


def test_a_file_cut_anywhere_is_broken() -> None:
    whole = header(*PAIRS)
    for length in range(len(whole)):
        with pytest.raises(NotGGUF):
            read_scalars(io.BytesIO(whole[:length]))


@pytest.mark.parametrize(
    "data",
    [
        b"PK\3\4" + b"\0" * 40,
        header(version=1),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 2**40),
        header(pair("key", 99, b"\0" * 8)),
        header(pair("key", 9, struct.pack("<IQ", 9, 1))),
        header(pair("key", 8, struct.pack("<Q", 2**40))),
        header(pair("key", 9, struct.pack("<IQ", 4, 2**63))),
    ],
)
def test_what_is_no_model_file_is_refused(data: bytes) -> None:
    with pytest.raises(NotGGUF):
        read_scalars(io.BytesIO(data))
