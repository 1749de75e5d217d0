"""Z85, the printable form of keys (RFC 32)."""

from .._native import z85_decode as decode
from .._native import z85_encode as encode

__all__ = ["Z85CHARS", "Z85MAP", "decode", "encode"]

# The characters by their values, and the values by the characters' bytes.
Z85CHARS = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
Z85MAP = {character: value for value, character in enumerate(Z85CHARS)}
