"""What a model file says about itself.

The format is GGUF version 2 and 3 (ggml's docs/gguf.md): little-endian, a magic number, a version,
two counts, then that many key-value pairs.
"""

import os
import struct
from typing import BinaryIO

Scalar = str | int | float | bool

_STRING, _ARRAY = 8, 9
_FORMATS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i",
    6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
_MAX_PAIRS = 10_000
_MAX_STRING_BYTES = 1024 * 1024


class NotGGUF(ValueError):
    """The file is no GGUF file of a known version, or it breaks off."""


def read_scalars(file: BinaryIO) -> dict[str, Scalar]:
    """Every key whose value is a number, a flag or a text; arrays (the vocabulary) are skipped.

    Raises NotGGUF. More than 10,000 keys or a text over 1 MiB count as broken.
    """
    if _exactly(file, 4) != b"GGUF" or _number(file, "<I") not in (2, 3):
        raise NotGGUF("not a GGUF file of version 2 or 3")
    _number(file, "<Q")
    pairs = _number(file, "<Q")
    if pairs > _MAX_PAIRS:
        raise NotGGUF(f"{pairs} keys")
    scalars: dict[str, Scalar] = {}
    for _ in range(pairs):
        key = _text(file)
        kind = _number(file, "<I")
        if kind == _ARRAY:
            _skip_array(file)
        else:
            scalars[key] = _scalar(file, kind)
    return scalars


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise NotGGUF("the file breaks off")
    return data


def _number(file: BinaryIO, form: str) -> int:
    return int(struct.unpack(form, _exactly(file, struct.calcsize(form)))[0])


def _text(file: BinaryIO) -> str:
    length = _number(file, "<Q")
    if length > _MAX_STRING_BYTES:
        raise NotGGUF(f"a text of {length} bytes")
    return _exactly(file, length).decode("utf-8", "replace")


def _scalar(file: BinaryIO, kind: int) -> Scalar:
    if kind == _STRING:
        return _text(file)
    if kind not in _FORMATS:
        raise NotGGUF(f"unknown value type {kind}")
    form = _FORMATS[kind]
    value: Scalar = struct.unpack(form, _exactly(file, struct.calcsize(form)))[0]
    return value


def _skip_array(file: BinaryIO) -> None:
    kind, count = _number(file, "<I"), _number(file, "<Q")
    if kind in _FORMATS:
        _skip(file, count * struct.calcsize(_FORMATS[kind]))
    elif kind == _STRING:
        for _ in range(count):
            _skip(file, _number(file, "<Q"))
    else:
        raise NotGGUF(f"an array of type {kind}")


def _skip(file: BinaryIO, count: int) -> None:
    try:
        file.seek(count, os.SEEK_CUR)
    except (OSError, OverflowError) as error:
        raise NotGGUF("the file breaks off") from error
