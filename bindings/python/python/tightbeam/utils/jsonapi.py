"""JSON as bytes."""

from __future__ import annotations

import json
from typing import Any

jsonmod = json

__all__ = ["dumps", "jsonmod", "loads"]


def dumps(o: Any, **kwargs: Any) -> bytes:
    """An object as JSON, in UTF-8."""
    return json.dumps(o, **kwargs).encode()


def loads(s: bytes | str, **kwargs: Any) -> Any:
    """The object that JSON stands for."""
    return json.loads(s, **kwargs)
