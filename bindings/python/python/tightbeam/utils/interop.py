"""Addresses as numbers."""

from __future__ import annotations

from typing import Any

__all__ = ["cast_int_addr"]


def cast_int_addr(n: Any) -> int:
    """The number of a socket or context, as `underlying` tells it; here it is no address.

    Raises ValueError for what is no int.
    """
    if not isinstance(n, int):
        raise ValueError(f"Cannot cast {n!r} to int")
    return int(n)
