"""Old names for conversions between text and bytes."""

from __future__ import annotations

basestring = (str, bytes)
bytes = bytes
unicode = str

__all__ = ["asbytes", "asunicode", "b", "basestring", "bytes", "cast_bytes", "cast_unicode", "u", "unicode"]


def cast_bytes(s: str | bytes, encoding: str = "utf8", errors: str = "strict") -> bytes:
    """Text as bytes; bytes as they are."""
    if isinstance(s, bytes):
        return s
    if isinstance(s, str):
        return s.encode(encoding, errors)
    raise TypeError(f"expected str or bytes, not {type(s).__name__}")


def cast_unicode(s: str | bytes, encoding: str = "utf8", errors: str = "strict") -> str:
    """Bytes as text; text as it is."""
    if isinstance(s, str):
        return s
    if isinstance(s, bytes):
        return s.decode(encoding, errors)
    raise TypeError(f"expected str or bytes, not {type(s).__name__}")


b = asbytes = cast_bytes
u = cast_unicode
asunicode = cast_unicode
