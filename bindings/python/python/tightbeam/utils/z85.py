"""Z85, the printable form of keys (RFC 32)."""

from .._native import z85_decode as decode
from .._native import z85_encode as encode

__all__ = ["decode", "encode"]
