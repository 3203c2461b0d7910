"""What JSON costs before it is read: a list of a million values takes seconds to refuse."""

from typing import Final

MAX_VALUES: Final = 10_000
"""Values in one text. The largest registration has some hundreds, and a text is one."""

_PART_BYTES: Final = 65_536
_BEFORE_VALUES: Final = (b",", b"[", b"{")


def has_too_many_values(raw: bytes) -> bool:
    """Tell whether JSON has more than `MAX_VALUES` values; of what is no JSON, either.

    Looked at is what stands outside of strings, part by part until it is too much: 3 ms for a MiB
    of strings, a fraction of one for values without end.
    """
    if len(raw) <= MAX_VALUES:
        return False
    values = quotes = at = 0
    while at < len(raw):
        part = raw[at : at + _PART_BYTES]
        if (len(part) - len(part.rstrip(b"\\"))) % 2:
            # An escape is not cut in two.
            part = raw[at : at + len(part) + 1]
        at += len(part)
        pieces = part.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')
        outside = b"".join(pieces[quotes % 2 :: 2])
        values += sum(map(outside.count, _BEFORE_VALUES))
        quotes += len(pieces) - 1
        if values > MAX_VALUES or quotes > 2 * MAX_VALUES:
            return True
    return False
