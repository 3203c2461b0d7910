"""The chunks in which a body of unknown length travels over HTTP/1.1."""


def as_chunk(data: bytes) -> bytes:
    """Return the bytes, of which there are some, as one chunk (RFC 9112, section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)
